// Power of a spectrum: columns 0 to 31 of a tile of f32 results are real parts, columns 32 to 63 the imaginary ones of the same
// frequencies. The object is an operand in bf16, 64 rows x 32 frequencies: rne(re * re + im * im), each step in f32.

#include "../entry.hpp"
#include "../layout.hpp"

using namespace layout;

namespace {

constexpr int LANES = 16;
constexpr int HALF = STEPS_BF16 * BLOCK;

using Part = aie::vector<float, LANES>;

}  // namespace

KERNEL(store_power)(const float *acc, bfloat16 *object) {
    set_arithmetic();
    for (int group = 0; group < ROW_GROUPS; group++) {
        const float *real = acc + group * COLUMN_GROUPS * BLOCK;
        const float *imaginary = real + HALF;
        bfloat16 *to = object + group * HALF;
        for (int at = 0; at < HALF; at += LANES) {
            const Part re = aie::load_v<LANES>(real + at);
            const Part im = aie::load_v<LANES>(imaginary + at);
            const Part square = aie::mul(im, im).template to_vector<float>();
            aie::store_v(to + at, aie::add(aie::mul(re, re), square).template to_vector<bfloat16>());
        }
    }
}
