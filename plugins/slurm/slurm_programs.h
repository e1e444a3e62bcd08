// Runs the programs of Slurm: each has a time limit, none hears of a job that we may
// be in ourselves, and what they write is kept.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/slurm/submit_failure.h"
#include "process/programs.h"

namespace tenkai::slurm {

namespace asio = boost::asio;

// Takes those out of our own environment, so that nothing we run gets them. Returns the
// id of the job that we are in, if any.
std::string leave_own_job();

class SlurmPrograms {
 public:
  using OnEnd = std::function<void(const SlurmOutcome&)>;
  enum class Kind { query, submission };

  explicit SlurmPrograms(asio::any_io_executor executor) : executor_(executor), programs_(executor) {}

  // Ends the programs that run; their on_end is not called.
  ~SlurmPrograms();

  // `on_end` is called once, from the event loop. What a submission has in its
  // environment its job will have, too; only a query is told what language to speak.
  void run(Kind kind, std::vector<std::string> argv, std::chrono::seconds limit, OnEnd on_end);
  // They end as if their time had come.
  void stop(Kind kind);
  std::size_t size() const { return running_.size(); }

 private:
  struct Running;
  void finish(const std::shared_ptr<Running>& running, const ProgramEnd& end);

  asio::any_io_executor executor_;
  Programs programs_;
  std::vector<std::shared_ptr<Running>> running_;
};

}  // namespace tenkai::slurm
