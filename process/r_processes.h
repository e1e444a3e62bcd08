// The R processes that this program has started on its machine.
//
// Starts `Rscript -e CALL`, keeps the last lines that each writes to stderr,
// waits for it, and tells how it ended: exit code, signal, or the kernel's want
// of memory. Knows nothing of tasks.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "process/children.h"
#include "process/memory_watch.h"

namespace tenkai {

// What `Rscript -e` takes; beyond it R drops the code and exits with 0.
inline constexpr std::size_t max_call = 9900;

struct RStart {
  std::string rscript = "Rscript";
  std::string call;     // an R expression
  bool output = false;  // stdout and stderr are ours; else stderr is kept in part
  // A file to which all that it writes is appended, in place of the two above; made with
  // mode 0600. Empty: none.
  std::string log_file;
  int stream = -1;  // becomes the child's descriptor 3
  std::vector<std::pair<std::string, std::string>> environment;
};

struct REnd {
  Ended how;
  bool out_of_memory = false;
  std::string excess;    // where it had more memory than we allow: how much, for people
  std::string log_tail;  // at most 4 KiB, whole lines; what keeps R from starting, if it says nothing
};

class RProcesses {
 public:
  using OnEnd = std::function<void(pid_t, const REnd&)>;

  explicit RProcesses(asio::any_io_executor executor);
  ~RProcesses();

  // From now on each process that is started may have so many bytes of memory, with all
  // that comes from it; beyond them it is killed. Call it before the first.
  void limit_memory(std::uint64_t bytes);

  // on_end is called once, from the event loop.
  Result<pid_t> start(const RStart& what, OnEnd on_end);
  // A child of this process that something else has started (see tenkai agent
  // --adopt-pid); also one that is not our child, whose end alone is then seen.
  bool adopt(pid_t pid, OnEnd on_end);
  // Its end is of no interest any more; it goes on.
  void forget(pid_t pid);

  // Calls back when a process that is not ours has ended. False where it is gone
  // already, or this kernel cannot tell.
  bool watch(pid_t pid, std::function<void()> on_end) {
    return children_.watch(pid, [on_end = std::move(on_end)](pid_t, const Ended&) { on_end(); });
  }

  bool holds(pid_t pid) const { return running_.count(pid) != 0; }
  std::size_t size() const { return running_.size(); }
  // SIGINT to the process and what it has started; nothing if it has ended.
  void interrupt(pid_t pid);
  void kill(pid_t pid);
  void terminate(pid_t pid);
  void kill_all();

 private:
  struct Running;
  void on_ended(pid_t pid, const Ended& how);
  void on_excess(pid_t pid, const MemoryUse& use);
  void signal(pid_t pid, int number);

  asio::any_io_executor executor_;
  Children children_;
  std::unordered_map<pid_t, std::shared_ptr<Running>> running_;
  std::optional<MemoryWatch> memory_watch_;
  std::uint64_t blamed_ = 0;  // kills for want of memory that have found their process
};

// Whether R's start-up files in the working directory may be read: not where
// somebody else could have written them. The options for Rscript that skip them.
std::vector<std::string> start_up_options(const std::string& directory);

}  // namespace tenkai
