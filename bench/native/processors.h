#pragma once

#include <memory>

#include "workload.h"

namespace espalier::bench {

/// Lets every thread of the process run on the first `count` of the processors that it might use at the first
/// call, and on no other. Threads to come inherit this from those that start them. False where the system
/// cannot; throws Error(Option) where there are not so many.
bool bindToProcessors(int count);

/// Gives each thread of a team of `count` a processor of its own, as far as there are so many: the first to
/// the calling thread, the others in turn to all other threads of the process by age, so that those that were
/// started together are apart. Left to itself Linux may keep two threads on one processor for long where they
/// wake each other, beside one that is idle. Does nothing where the system cannot.
void spreadOverProcessors(int count);

/// The workload, its threads spread so: before its first run, after it, since some libraries start their
/// threads in it, and whenever another workload has spread them otherwise.
std::unique_ptr<Workload> onProcessors(int threads, std::unique_ptr<Workload> workload);

}  // namespace espalier::bench
