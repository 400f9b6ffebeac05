#pragma once

// A functional emulation of the part of CUDA that native/device/cuda uses: with this folder first in the
// include path, those sources compile unchanged as C++20 and run on the processor. It is a tool of the tests.
//
// What it shows. Every CUDA thread is a fiber with a stack of its own; the threads of a block run in a random
// order from one meeting (barrier, warp intrinsic) to the next, and blocks one after the other in a random
// order, so a missing barrier shows up over a few seeds. A stream does its work when the host waits for it or
// at some moment before, and an asynchronous copy likewise, so a missing wait shows too. Device memory and
// shared memory are poisoned with 0xFF (a NaN) before use, and so is what lies around device memory; they
// have exactly the size asked for, so AddressSanitizer sees what goes beyond. With a message and abort():
// warp intrinsics that the lanes of their mask do not reach together, in one line, with one mask; barriers
// that threads reach in different lines; threads that wait for ever; misaligned matrices and asynchronous
// copies; pointers given to kernels and libraries that are not the card's.
//
// The time between two events is drawn at random, so that what is chosen by time is chosen differently over
// the seeds, and every choice comes to be tested.
//
// What it cannot show. Speed, bank conflicts and registers; races that need two threads at the same moment;
// blocks that wait for each other (they would hang here); the memory model; how the matrix units round their
// sums; the orders of sums of cuBLAS, cuSPARSE and CUB; a pointer to the host's memory inside a struct; what
// the compiler for the card accepts.
//
// Environment:
//   ESPALIER_EMULATION_SEED           seed of every random order; 1 if not set
//   ESPALIER_EMULATION_STREAMS        "eager": streams do their work at once, for a debugger
//   ESPALIER_EMULATION_MEMORY         bytes of device memory; 4 GiB if not set
//   ESPALIER_EMULATION_SHARED_MEMORY  bytes of shared memory a block may ask for; 227 KiB if not set
//   ESPALIER_EMULATION_CAPABILITY     compute capability x 10; 90 if not set
//   ESPALIER_EMULATION_FAIL           no-device, old-driver, libraries (they do not start), cusparse (it
//   takes
//                                     no products), or lost:N (the card is lost at launch N + 1)
//
// Compile with -Wno-unknown-pragmas (for #pragma unroll). `__shared__` stands for `static`, so an alignment
// goes before it (alignas(16) __shared__ float x[4]) or is written __align__(16). Static shared arrays are
// found in the symbol table to be poisoned: those of functions in espalier::cuda, whose other static
// variables must not be zero-initialized, and only where the program is not stripped.

/// Tells sources of tests that this is not a card.
#define ESPALIER_CUDA_EMULATION 1

#include "library_types.h"
#include "machine/device_code.h"
#include "machine/launch.h"
#include "machine/runtime_api.h"
#include "machine/vector_types.h"
