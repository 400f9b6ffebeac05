#include "library_work.h"

#include <cstring>
#include <utility>

#include "runtime.h"

namespace espalier::emulation {

cudaError_t queueLibraryWork(void* scratch, size_t& scratchBytes, size_t needed, cudaStream_t stream,
                             std::initializer_list<Span> spans, std::function<void()> work) {
  if (scratch == nullptr) {
    scratchBytes = needed;
    return cudaSuccess;
  }
  if (scratchBytes < needed) return remember(cudaErrorInvalidValue);
  std::vector<Span> memory(spans);
  memory.push_back({scratch, needed});
  return enqueue(stream, [=, memory = std::move(memory), work = std::move(work)] {
    if (countLaunch() != cudaSuccess) return;
    for (const Span& span : memory) requireCardMemory(span.memory, span.bytes, "CUB");
    std::memset(scratch, 0xFF, needed);
    work();
  });
}

}  // namespace espalier::emulation
