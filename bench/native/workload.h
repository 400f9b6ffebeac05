#pragma once

#include <memory>

namespace espalier::bench {

/// Something that is timed: one call, one unit of work.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual void run() = 0;
};

}  // namespace espalier::bench
