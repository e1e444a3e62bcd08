// A way to run commands on one host and to hold tunnels from there: libssh2, or the
// OpenSSH client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/plugin/failure.h"
#include "launcher/plugin/messages.h"

namespace tenkai::ssh {

// Between two tries.
inline constexpr std::chrono::milliseconds longest_backoff{5000};
// How long a server that is about to end may keep the port of a tunnel (that of a
// session before ours gives its daemons some seconds for their farewells), and one
// that many call at the same time may have no room for another.
inline constexpr std::chrono::seconds patience_at_first{8};

struct SshJob {
  std::string name;
  std::string command;               // one line for the login shell there; empty: the tunnel alone
  std::string input;                 // secret
  bool keeps_input = false;          // it ends with the connection, and not before
  std::vector<std::uint16_t> ports;  // of the tunnel
  bool stays = false;
};

// Why a host was not reached or entered.
struct Refusal {
  Failure failure;
  bool client_may = false;  // the OpenSSH client may succeed where this has failed
};

class BackEnd {
 public:
  struct Events {
    // News of a job. `ended` and `failed` are its last.
    std::function<void(JobReport)> tell;
    // None of the jobs that it holds has begun, and none will: they are forgotten.
    std::function<void(const Refusal&)> refused;
    // It cannot run this job's command (others it can); the job's tunnel it keeps
    // until the job is cancelled.
    std::function<void(const std::string& job, const std::string& why)> hand_back;
  };

  virtual ~BackEnd() = default;
  virtual void start(SshJob job) = 0;
  // Ends the job, and tells so. One that it does not know it leaves.
  virtual void cancel(const std::string& job) = 0;
  // The session has ended: what has not begun is dropped, what holds a tunnel alone
  // ends when nothing goes through it any more, commands may end by themselves.
  virtual void close() = 0;
};

// The news that a job runs, with something for the log.
inline JobReport noted(const std::string& job, const std::string& where, std::string text) {
  JobReport report;
  report.job = job;
  report.state = JobState::starting;
  report.where = where;
  report.note = std::move(text);
  return report;
}

}  // namespace tenkai::ssh
