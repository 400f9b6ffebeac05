#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "device/cuda/products/product.h"

namespace espalier::cuda {

/// Milliseconds of one run of `work` as a part of a graph, the least of a few after some to warm up. Waits
/// for the stream.
float timeOf(Context& context, const std::function<void()>& work);

/// Makes every candidate in turn, times it and keeps the fastest. One that does not fit in memory is passed
/// over, and so is one that a library refuses, as long as the card goes on and another is there to take.
/// `run` queues one run of a product that leaves nothing behind that matters. Only one candidate holds memory
/// at a time.
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
      if (error.code() != ErrorCode::Memory && error.code() != ErrorCode::Device) throw;
      if (plan.candidates.empty() && i + 1 == makers.size()) throw;
      // Throws where the card itself has failed.
      context.stream.synchronize();
    }
  }
  std::unique_ptr<Kind> chosen = makers[best]();
  plan.chosen = chosen->name();
  return chosen;
}

}  // namespace espalier::cuda
