// Networks that are trained, looked at, paused, cancelled, fed and asked from several threads at once. Built with
// ThreadSanitizer (scripts/sanitize.sh), which tells of every race; the program itself checks what comes out.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "base/thread_pool.h"
#include "base/turns.h"
#include "device/cpu/shared_rows.h"
#include "model/snapshot.h"
#include "train/network.h"
#include "train/sample_stream.h"

using namespace espalier;

namespace {

constexpr int64_t kInputs = 24, kClasses = 4, kSamples = 96;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

NetworkDescription description() {
  NetworkDescription network;
  network.inputs = kInputs;
  for (const int64_t outputs : {int64_t{32}, kClasses}) {
    LayerDescription layer;
    layer.kind = outputs == kClasses ? LayerKind::Dense : LayerKind::Sparse;
    layer.outputs = outputs;
    layer.activation = outputs == kClasses ? Activation::Linear : Activation::Relu;
    network.layers.push_back(layer);
  }
  network.sparsity = 0.7;
  network.seed = 3;
  return network;
}

struct Set {
  std::vector<float> values;
  std::vector<int32_t> labels;
  Samples samples;

  Set() : values(kSamples * kInputs), labels(kSamples) {
    for (int64_t i = 0; i < kSamples; ++i) {
      labels[static_cast<size_t>(i)] = static_cast<int32_t>(i % kClasses);
      for (int64_t j = 0; j < kInputs; ++j) {
        const bool own = j % kClasses == i % kClasses;
        values[static_cast<size_t>(i * kInputs + j)] =
            static_cast<float>((i * 37 + j * 11) % 17) / 17 + (own ? 1.0f : 0.0f);
      }
    }
    samples = {kSamples, kInputs, values.data(), labels.data(), nullptr};
  }
};

FitSettings settings(int64_t epochs, int threads) {
  FitSettings fit;
  fit.epochs = epochs;
  fit.batchSize = 16;
  fit.threads = threads;
  fit.optimizer.learningRate = 0.05;
  fit.optimizer.momentum = 0.9;
  fit.rewire.rule = RewireRule::Rigl;
  fit.rewire.schedule.every = 5;
  fit.rewire.schedule.until = 1;
  fit.rewire.schedule.fraction = 0.3;
  fit.watched = Watched::TrainLoss;
  return fit;
}

Placement onProcessor() {
  Placement placement;
  placement.device = DeviceKind::Cpu;
  return placement;
}

std::vector<float> weightsOf(Network& network) {
  std::vector<float> weights;
  network.inspect([&](const NetworkState& state) {
    for (const LayerState& layer : state.layers) {
      const auto values = layer.weight.values.span();
      weights.insert(weights.end(), values.begin(), values.end());
    }
  });
  return weights;
}

/// What training alone on one thread comes to.
std::vector<float> expectedWeights(const Set& set, int64_t epochs) {
  Network alone(description(), onProcessor());
  alone.fit(set.samples, nullptr, settings(epochs, 1), {});
  return weightsOf(alone);
}

void manyAtOnce(const Set& set) {
  const std::vector<float> expected = expectedWeights(set, 6);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      Network network(description(), onProcessor());
      expect(network.fit(set.samples, &set.samples, settings(6, 1 + i % 2), {}).end == FitEnd::Finished,
             "a run among others finishes");
      expect(weightsOf(network) == expected, "and comes to the same weights");
      expect(network.evaluate(set.samples, 2).loss > 0, "and is evaluated");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void askedWhileItRuns(const Set& set) {
  Network network(description(), onProcessor());
  std::atomic<bool> over{false};
  std::atomic<int> laidAside{0};
  FitListener listener;
  listener.wantsCheckpoint = [] { return true; };
  listener.checkpoint = [&](const NetworkState& state, bool, bool) {
    laidAside += takeSnapshot(state).tensors.empty() ? 0 : 1;
  };
  FitSettings fit = settings(1 << 20, 2);
  fit.checkpoints = {1, 7, 0.01, true};
  std::thread run([&] {
    const FitResult result = network.fit(set.samples, &set.samples, fit, listener);
    expect(result.end == FitEnd::Cancelled, "a cancelled run says so");
    over = true;
  });
  std::vector<std::thread> askers;
  std::atomic<int> looks{0};
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&, i] {
      for (int turn = 0; turn < 20; ++turn) {
        network.inspect([&](const NetworkState& state) { looks += takeSnapshot(state).tensors.empty() ? 0 : 1; });
        (void)network.plan();
        (void)network.deviceBytes();
        if (i == 0) network.pause();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (i == 0) network.resume();
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  network.cancel();
  run.join();
  expect(over && looks == 60, "everybody was shown the network");
  expect(laidAside > 0, "checkpoints were laid aside");
}

void fromAStream(const Set& set) {
  const std::vector<float> expected = [&] {
    Network alone(description(), onProcessor());
    FitSettings fit = settings(5, 1);
    fit.shuffle = false;
    alone.fit(set.samples, nullptr, fit, {});
    return weightsOf(alone);
  }();
  Network network(description(), onProcessor());
  SampleStream stream({kInputs, kClasses, 16, kSamples, 2}, 0);
  std::mutex mutex;
  std::condition_variable changed;
  bool room = true;
  stream.listen({[&] { network.hear(); },
                 [&] {
                   const std::lock_guard lock(mutex);
                   room = true;
                   changed.notify_all();
                 }});
  std::thread feeder([&] {
    for (int64_t given = 0; given < 5 * kSamples;) {
      const int64_t first = given % kSamples;
      Samples piece = set.samples;
      piece.values += first * kInputs;
      piece.labels += first;
      piece.count = std::min<int64_t>(13, kSamples - first);
      {
        const std::lock_guard lock(mutex);
        room = false;
      }
      const int64_t taken = stream.put(piece);
      given += taken;
      std::unique_lock lock(mutex);
      if (taken < piece.count) changed.wait(lock, [&] { return room; });
    }
  });
  FitSettings fit = settings(5, 2);
  fit.shuffle = false;
  expect(network.fit(stream, nullptr, fit, {}).end == FitEnd::Finished, "a run from a stream finishes");
  feeder.join();
  expect(weightsOf(network) == expected, "and comes to the weights of the data set");
}

void teamsTakeTurns() {
  Turns turns(2);
  std::atomic<int> computing{0}, most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Turn turn(turns, 1 + i % 2, [] { return false; });
      for (int step = 0; step < 30; ++step) {
        turn.take();
        const int now = computing += 1 + i % 2;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        computing -= 1 + i % 2;
        if (step % 3 == 0) turn.leave();
        turn.pass();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect(turns.load().running == 0 && turns.load().waiting == 0, "nobody is left in the row");
}

/// Three members, of whom one sleeps over every row: the others do much of its share, and every row is done once
/// each time, whether or not the members wait for each other in between.
void rowsAreShared() {
  constexpr int kMembers = 3, kRounds = 40;
  constexpr int64_t kRows = 100, kUnit = 3;
  std::vector<int64_t> offsets(kRows + 1);
  for (int64_t row = 0; row <= kRows; ++row) offsets[static_cast<size_t>(row)] = row * (row + 1) / 2;
  const cpu::SharedRows shared(cpu::RowShares(offsets, 1, kMembers, 2), kMembers, kUnit);
  ThreadPool pool(kMembers);
  for (const bool waits : {true, false}) {
    std::vector<std::atomic<int>> times(kRows);
    std::atomic<int64_t> ofSleeper{0};
    pool.run([&](int thread) {
      const cpu::Team team = cpu::Team::all(pool, thread);
      for (int round = 0; round < kRounds; ++round) {
        shared.divide(team, [&](cpu::Range rows) {
          for (int64_t row = rows.begin; row < rows.end; ++row) ++times[static_cast<size_t>(row)];
          if (thread != 1) return;
          ofSleeper += rows.size();
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        });
        if (waits) pool.barrier();
      }
    });
    for (const auto& each : times) expect(each == kRounds, "every row is done once");
    const int64_t share = shared.share(cpu::Team::all(pool, 1)).size() * kRounds;
    if (waits) expect(ofSleeper > 0 && ofSleeper < share, "who sleeps does less than its share");
  }
  const cpu::SharedRows kept(cpu::RowShares(offsets, 1, kMembers), kMembers, 0);
  pool.run([&](int thread) {
    const cpu::Team team = cpu::Team::all(pool, thread);
    kept.divide(team, [&](cpu::Range rows) {
      const cpu::Range own = kept.share(team);
      expect(rows.begin == own.begin && rows.end == own.end, "without a unit everybody keeps to its share");
    });
  });
}

}  // namespace

int main() {
  rowsAreShared();
  const Set set;
  teamsTakeTurns();
  manyAtOnce(set);
  askedWhileItRuns(set);
  fromAStream(set);
  std::puts("concurrency: all as it should be");
}
