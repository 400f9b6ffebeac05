#pragma once

namespace espalier::bench {

/// Gigabytes a second that the slowest of some threads, each on a processor of its own, reads from its
/// second-level cache: the median of a few rounds.
double paceGBs(int threads);

}  // namespace espalier::bench
