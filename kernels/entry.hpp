// What every kernel begins with.

#pragma once

#include <stdint.h>

#include <aie_api/aie.hpp>

// The host links several builds of a kernel, one for each instruction set, under names of their own.
#ifdef KERNEL_SUFFIX
#define KERNEL_JOINED(name, suffix) name##suffix
#define KERNEL_EXPANDED(name, suffix) KERNEL_JOINED(name, suffix)
#define KERNEL(name) extern "C" void KERNEL_EXPANDED(name, KERNEL_SUFFIX)
#else
#define KERNEL(name) extern "C" void name
#endif

namespace {

// Rounding and saturation are a core's state, which truncates and wraps after reset and keeps what the last kernel set.
[[maybe_unused]] inline void set_arithmetic() {
    aie::set_rounding(aie::rounding_mode::conv_even);
    aie::set_saturation(aie::saturation_mode::saturate);
}

}  // namespace
