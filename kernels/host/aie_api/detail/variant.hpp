// The namespace of this build.

#pragma once

#ifdef KERNEL_SUFFIX
#define AIE_HOST_JOINED(suffix) host##suffix
#define AIE_HOST_EXPANDED(suffix) AIE_HOST_JOINED(suffix)
#define AIE_HOST AIE_HOST_EXPANDED(KERNEL_SUFFIX)
#else
#define AIE_HOST host
#endif

#define AIE_INLINE inline __attribute__((always_inline))

// Before a loop over lanes: GCC takes it apart before its vectoriser sees it, which costs where there are vectors of 64 bits.
#if defined(__AVX512DQ__) && !defined(__clang__)
#define AIE_LANES _Pragma("GCC unroll 1")
#else
#define AIE_LANES
#endif
