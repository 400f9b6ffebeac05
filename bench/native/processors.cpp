#include "processors.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

namespace espalier::bench {
namespace {

#if defined(__linux__)

/// Those that the process might use when this was first asked; none where the system does not tell.
const std::vector<int>& processors() {
  static const std::vector<int> allowed = [] {
    std::vector<int> numbers;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return numbers;
    for (int number = 0; number < CPU_SETSIZE; ++number) {
      if (CPU_ISSET(number, &set)) numbers.push_back(number);
    }
    return numbers;
  }();
  return allowed;
}

/// Binds a thread to the processors of ranks [first, end). False where the system forbids it.
bool bind(pid_t thread, size_t first, size_t end) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t rank = first; rank < end; ++rank) CPU_SET(processors()[rank], &set);
  // The thread may have ended since.
  return sched_setaffinity(thread, sizeof(set), &set) == 0 || errno == ESRCH;
}

/// Every thread of the process but the calling one, the oldest first.
std::vector<pid_t> otherThreads() {
  std::vector<pid_t> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto thread = static_cast<pid_t>(std::stol(task.path().filename().string()));
    if (thread != gettid()) threads.push_back(thread);
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

#endif

/// The count that the threads of the process are spread for; 0 where they are not. As much a thing of the
/// whole process as their binding.
int& spreadNow() {
  static int count = 0;
  return count;
}

class PlacedWorkload final : public Workload {
 public:
  PlacedWorkload(int threads, std::unique_ptr<Workload> workload)
      : threads_(threads), workload_(std::move(workload)) {}

  void run() override {
    if (!settled_ || spreadNow() != threads_) spreadOverProcessors(threads_);
    workload_->run();
    if (!settled_) spreadOverProcessors(threads_);
    settled_ = true;
  }

 private:
  const int threads_;
  const std::unique_ptr<Workload> workload_;
  bool settled_ = false;
};

}  // namespace

#if defined(__linux__)

bool bindToProcessors(int count) {
  const size_t known = processors().size(), used = static_cast<size_t>(count);
  if (known == 0) return false;
  require(used <= known, ErrorCode::Option,
          std::to_string(count) + " processors asked for, and the process may use " + std::to_string(known));
  bool bound = bind(0, 0, used);
  for (const pid_t thread : otherThreads()) bound = bind(thread, 0, used) && bound;
  spreadNow() = 0;
  return bound;
}

void spreadOverProcessors(int count) {
  const size_t used = std::min(static_cast<size_t>(count), processors().size());
  if (used == 0) return;
  bind(0, 0, 1);
  size_t next = 0;
  for (const pid_t thread : otherThreads()) {
    const size_t rank = used == 1 ? 0 : 1 + next++ % (used - 1);
    bind(thread, rank, rank + 1);
  }
  spreadNow() = count;
}

#else

bool bindToProcessors(int) {
  return false;
}

void spreadOverProcessors(int) {}

#endif

std::unique_ptr<Workload> onProcessors(int threads, std::unique_ptr<Workload> workload) {
  return std::make_unique<PlacedWorkload>(threads, std::move(workload));
}

}  // namespace espalier::bench
