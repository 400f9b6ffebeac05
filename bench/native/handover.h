#pragma once

namespace espalier::bench {

/// Nanoseconds that a number takes from one thread to the next, each on a processor of its own: the best of
/// a few rounds through all of them. Several times as long where processors share no cache. 0 for one thread.
double handoverNanoseconds(int threads);

}  // namespace espalier::bench
