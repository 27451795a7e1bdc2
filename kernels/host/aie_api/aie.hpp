// The part of AMD's AIE API that the kernels use, for the host: same names, same results.
//
// Written from the API's public documentation and the public descriptions of the hardware. `mode.hpp` holds a core's state,
// `vector.hpp` and `accum.hpp` the registers, `operations.hpp` the functions on them, `mmul.hpp` the matrix unit, which
// `simd.hpp` makes fast. Everything stands in an inline namespace for each build, so that a linker can never put a function
// compiled for a newer instruction set into a build for an older one; for the same reason nothing here calls an inline
// function of the standard library.

#pragma once

#ifndef __AIE_ARCH__
#error "__AIE_ARCH__ says which architecture the host plays"
#endif

#include "detail/mode.hpp"
#include "detail/scalar.hpp"
#include "detail/vector.hpp"
#include "detail/accum.hpp"
#include "detail/operations.hpp"
#include "detail/mmul.hpp"
