// Rounding and saturation: state of a core, here of a thread. It starts as the hardware does: truncating and wrapping.

#pragma once

#include "variant.hpp"

namespace aie {
inline namespace AIE_HOST {

enum class rounding_mode { floor, conv_even };
enum class saturation_mode { none, saturate };

struct Mode {
    rounding_mode rounding;
    saturation_mode saturation;
};

inline thread_local Mode mode = {rounding_mode::floor, saturation_mode::none};

inline void set_rounding(rounding_mode rounding) { mode.rounding = rounding; }
inline void set_saturation(saturation_mode saturation) { mode.saturation = saturation; }

}  // namespace AIE_HOST
}  // namespace aie
