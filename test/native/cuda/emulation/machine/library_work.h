#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "runtime_api.h"

namespace espalier::emulation {

/// Memory that a library is given.
struct Span {
  const void* memory;
  size_t bytes;
};

/// The two calls of a CUB algorithm: with no scratch memory, sets scratchBytes to `needed`; else checks that
/// everything lies on the card and queues the work, which begins by poisoning the scratch memory.
cudaError_t queueLibraryWork(void* scratch, size_t& scratchBytes, size_t needed, cudaStream_t stream,
                             std::initializer_list<Span> spans, std::function<void()> work);

}  // namespace espalier::emulation
