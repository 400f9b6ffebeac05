#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "device/cuda/products/product.h"

namespace espalier::cuda {

/// Milliseconds of one run of `work`, the least of a few after one to warm up. Waits for the stream.
float timeOf(Context& context, const std::function<void()>& work);

/// Makes every candidate in turn, times it and keeps the fastest; one that does not fit in memory is passed
/// over. `run` queues one run of a product that leaves nothing behind that matters. Only one candidate holds
/// memory at a time.
template <typename Kind, typename Run>
std::unique_ptr<Kind> chooseFastest(Context& context, Workspace& workspace,
                                    const std::vector<ProductMaker<Kind>>& makers, const Run& run,
                                    ProductPlan& plan) {
  size_t best = 0;
  float bestTime = 0;
  for (size_t i = 0; makers.size() > 1 && i < makers.size(); ++i) {
    try {
      const std::unique_ptr<Kind> candidate = makers[i]();
      workspace.require(candidate->workspaceBytes());
      const float time = timeOf(context, [&] { run(*candidate); });
      plan.candidates.push_back({candidate->name(), double{time} * 1000});
      if (plan.candidates.size() == 1 || time < bestTime) {
        best = i;
        bestTime = time;
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Memory) throw;
    }
  }
  std::unique_ptr<Kind> chosen = makers[best]();
  plan.chosen = chosen->name();
  return chosen;
}

}  // namespace espalier::cuda
