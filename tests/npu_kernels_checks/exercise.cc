// Calls every kernel on buffers of exactly its size, with all its scalars' edges, and prints a sum over all that was written.
// Built with sanitizers it finds what leaves a buffer; built for both architectures it shows that they agree.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *Buffer;

extern "C" {
void copy_object(Buffer, Buffer);
void clear(Buffer);
void product_bf16(Buffer, Buffer, Buffer, int32_t);
void product_int8(Buffer, Buffer, Buffer, int32_t);
void finish_bf16(Buffer, Buffer);
void finish_int8(Buffer, Buffer, Buffer);
void gelu(Buffer, Buffer);
void store_bf16(Buffer, Buffer, int32_t);
void store_wide(Buffer, Buffer, int32_t);
void store_sum(Buffer, Buffer, Buffer, int32_t);
void store_power(Buffer, Buffer);
void store_logarithm(Buffer, Buffer, Buffer, int32_t);
void keep(Buffer, Buffer, int32_t);
void normalise(Buffer, int32_t, int32_t, int32_t, int32_t);
void store_rows_wide(Buffer, Buffer, int32_t, int32_t);
void store_rows_bf16(Buffer, Buffer, int32_t, int32_t, int32_t);
void maxima(Buffer, Buffer, int32_t, int32_t, int32_t);
void store_rows_int8(Buffer, Buffer, Buffer, int32_t, int32_t, int32_t, int32_t);
void attend_begin(Buffer, Buffer, Buffer, Buffer);
void scores(Buffer, Buffer, Buffer, int32_t);
void softmax(Buffer, Buffer, Buffer, Buffer, int32_t, int32_t);
void greatest(Buffer, Buffer, int32_t, int32_t, int32_t, int32_t);
void store_greatest(Buffer, Buffer, int32_t);
void values(Buffer, Buffer, Buffer, int32_t);
void attend_finish(Buffer, Buffer, Buffer);
}

namespace {

constexpr size_t OBJECT = 4096, ACCUMULATORS = 16384, SCRATCH = 28672, SCORES = 8192, STATE = 512, SCALES = 256;

uint64_t random_state = 88172645463325252ull;
uint64_t total = 0;

uint32_t random_bits() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return uint32_t(random_state >> 32);
}

// A buffer of its own on the heap, so that a sanitizer sees its end.
struct Bytes {
    Buffer data;
    size_t size;

    explicit Bytes(size_t size) : data(aligned_alloc(64, size)), size(size) {
        for (size_t at = 0; at < size; at += 4) {
            const uint32_t bits = random_bits();
            memcpy(static_cast<char *>(data) + at, &bits, 4);
        }
    }
    Bytes(const Bytes &) = delete;
    ~Bytes() {
        for (size_t at = 0; at < size; at++) total = total * 1099511628211ull + static_cast<uint8_t *>(data)[at];
        free(data);
    }

    operator Buffer() const { return data; }

    // Halves of moderate size in the whole buffer.
    Bytes &halves() {
        for (size_t at = 0; at < size; at += 2) {
            const uint16_t bits = uint16_t(0x3e00 | (random_bits() & 0x81ff));
            memcpy(static_cast<char *>(data) + at, &bits, 2);
        }
        return *this;
    }

    void word(int index, int32_t value) { memcpy(static_cast<char *>(data) + 4 * index, &value, 4); }
};

void products() {
    for (int row_groups = 0; row_groups <= 16; row_groups++) {
        Bytes a(OBJECT), b(OBJECT), acc(ACCUMULATORS), a8(OBJECT), b8(OBJECT), acc8(ACCUMULATORS);
        // One after the other: the order of arguments is the compiler's.
        a.halves();
        b.halves();
        acc.halves();
        product_bf16(a, b, acc, row_groups);
        product_int8(a8, b8, acc8, row_groups);
    }
    Bytes a(OBJECT), b(OBJECT), acc(ACCUMULATORS);
    product_bf16(a, b, acc, 16);
}

void finishes() {
    Bytes copied(OBJECT), copy(OBJECT), acc(ACCUMULATORS), single(ACCUMULATORS), scales(OBJECT), header(OBJECT);
    copy_object(copied, copy);
    header.word(8, 20);
    header.word(9, 31);
    finish_int8(acc, scales, header);
    finish_bf16(single, header);
    gelu(acc, header);
    for (int part = 0; part < 4; part++) {
        Bytes object(OBJECT), before(OBJECT), added(OBJECT), half(OBJECT);
        store_bf16(acc, half, part & 1);
        store_wide(acc, object, part);
        store_sum(acc, before, added, part);
    }
    for (int row_groups = 0; row_groups <= 16; row_groups++) {
        Bytes best(STATE), stored(OBJECT);
        greatest(acc, best, row_groups, 64, 64 - row_groups, 1);
        greatest(acc, best, row_groups, 128, row_groups, 0);
        store_greatest(best, stored, row_groups);
    }
    clear(acc);
}

void mel() {
    Bytes spectrum(ACCUMULATORS), header(OBJECT), power(OBJECT);
    for (int i = 0; i <= 256; i++) header.word(256 + i, i << 12);
    store_power(spectrum.halves(), power);
    for (int quarter = 0; quarter < 4; quarter++) {
        Bytes logarithms(OBJECT);
        store_logarithm(spectrum, header, logarithms, quarter);
    }
}

void rows() {
    for (int row_groups = 1; row_groups <= 2; row_groups++) {
        const int most = 56 / row_groups;
        Bytes scratch(SCRATCH), object(OBJECT), scales(SCALES);
        for (int index = 0; index < 7; index++) {
            Bytes kept(OBJECT), stored(OBJECT);
            keep(kept, scratch, index);
            store_rows_wide(scratch, stored, row_groups, index);
        }
        for (int index = 0; index < 6; index++) {
            Bytes narrow(OBJECT), all(OBJECT), bytes(OBJECT), bytes_of_halves(OBJECT);
            store_rows_bf16(scratch, narrow, row_groups, index, 3);
            store_rows_bf16(scratch, all, row_groups, index, most);
            maxima(scratch, scales, row_groups, most, 0);
            store_rows_int8(scratch, scales, bytes, row_groups, index, most, 0);
            maxima(scratch, scales, row_groups, 2 * most, 1);
            store_rows_int8(scratch, scales, bytes_of_halves, row_groups, index, 2 * most, 1);
        }
        const int widths[] = {1, 15, 16, 33, 384, 512};
        for (int width : widths) {
            const int padded = (width + 31) / 32 * 32;
            Bytes normal(SCRATCH);
            normalise(normal, row_groups, width, padded, int(SCRATCH) - 8 * padded);
        }
        Bytes longest(SCRATCH);
        if (row_groups == 1) normalise(longest, 1, 1184, 1184, 18944);
    }
}

void attention(int32_t causal) {
    Bytes object(OBJECT), query(OBJECT), output(SCORES), state(STATE), header(OBJECT), finished(OBJECT);
    header.word(4, 150);
    header.word(5, 193635251);
    header.word(6, causal);
    header.word(7, 90);
    for (int i = 0; i < 256; i++) header.word(256 + i, i << 15);
    attend_begin(object.halves(), query, output, state);
    for (int block = 0; block < 3; block++) {
        Bytes keys(OBJECT), other_keys(OBJECT), value(OBJECT), other_value(OBJECT), score(SCORES);
        scores(query, keys.halves(), score, 0);
        scores(query, other_keys.halves(), score, 1);
        softmax(score, output, state, header, block, 32 * block);
        values(score, value.halves(), output, 0);
        values(score, other_value.halves(), output, 1);
    }
    attend_finish(output, state, finished);
}

}  // namespace

int main() {
    products();
    finishes();
    mel();
    rows();
    attention(0);
    attention(1);
    printf("%016llx\n", static_cast<unsigned long long>(total));
}
