#pragma once

#include <memory>

#include "base/thread_pool.h"

namespace espalier::addon {

/// What lives as long as one environment (the main thread's or a worker's): the addon has no globals.
class Instance {
 public:
  /// A team of so many threads for the calls that block. Kept from call to call, since starting one takes
  /// longer than a small product.
  ThreadPool& pool(int threads) {
    if (pool_ == nullptr || pool_->threads() != threads) {
      pool_.reset();
      pool_ = std::make_unique<ThreadPool>(threads);
    }
    return *pool_;
  }

 private:
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace espalier::addon
