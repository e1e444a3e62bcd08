// What a dispatcher and a plugin say to each other, one JSON object a line.
//
//   dispatcher → plugin   {"id":1,"do":"start","key":"…","launch":{…}}
//   plugin → dispatcher   {"id":1,"job":"…"}, or {"id":1,"error":{…}}
//   plugin → dispatcher   {"job":"…","state":"starting"}: news that nobody asked for
//
// docs/plugins.md says all of it. What comes from the other side is judged here: a
// line that is no JSON, too long, or of another shape is an error with a reason.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/failure.h"

namespace tenkai {

// The longest line, either way.
inline constexpr std::size_t max_plugin_line = 4 * 1024 * 1024;

// What a plugin is asked to start: one command, which becomes one agent, or one R;
// or, with `agents`, the same command so many times.
struct LaunchRequest {
  std::uint64_t number = 0;  // of the launch, as status() shows it
  std::string profile;       // the compute profile, for names that people see
  std::size_t daemons = 1;   // how many R daemons come of it, all together
  // How often the command is run, for plugins of batch systems. Each run finds its
  // number, from 0, in the environment variable TENKAI_RANK, and has the next `chunk`
  // of the daemons.
  std::size_t agents = 1;
  std::size_t chunk = 0;  // 0: all of them
  // A folder of our own (0700) for as long as the session lives, which must be there
  // on the other machines, too: scripts and logs go there. Empty: none was needed.
  std::string folder;
  std::string session;               // a word that no other session has, for names of jobs
  std::vector<std::string> command;  // argv; no shell reads these bytes
  // The same by the program tenkai itself, at the path it has here; the path of Rscript
  // there follows. Empty: there is no such command.
  std::vector<std::string> agent;
  std::string input;              // for its standard input: holds the credential
  std::vector<std::string> urls;  // that the daemons dial
  // What the plugin alone understands, by name; each a list of texts.
  std::map<std::string, std::vector<std::string>> options;
  // The command runs already, and a plugin before this one held what it needs (a
  // tunnel): only that is wanted again.
  bool running = false;
  std::vector<std::string> jobs;  // with `running`: the names that its jobs had
  // The daemons stay when the session ends (autoexit = FALSE): what runs is left alone.
  bool stays = false;
  // A task that runs when the session ends may finish (autoexit = NA): what runs ends by
  // itself, however long that takes; what has not begun is dropped.
  bool finishes = false;

  // The first text of an option, or `otherwise`.
  std::string option(const std::string& name, const std::string& otherwise = {}) const;
  bool flag(const std::string& name) const { return option(name) == "1"; }
};

struct PluginCall {
  enum class Verb { render, start, poll, cancel } verb = Verb::render;
  std::uint64_t id = 0;
  std::chrono::milliseconds deadline{0};  // after which nobody waits; 0: none
  std::string key;                        // start: the same key starts nothing twice
  std::string job;                        // poll, cancel
  LaunchRequest request;                  // render, start
};

// How far a job is, as far as its plugin can see.
enum class JobState { submitted, pending, starting, ended, failed };

// What is known of a job. A plugin tells it whenever something has changed, and
// answers `poll` with it.
struct JobReport {
  std::string job;
  JobState state = JobState::submitted;
  FailureCause cause = cause::none;  // failed; none: judge by what follows
  std::string message;               // a sentence for people
  std::string where;                 // the host, as far as it is known
  std::string reason;                // the batch system's own word: "Priority", "OUT_OF_MEMORY"
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string log;                   // the last lines that the command wrote to stderr, at most 4 KiB
  bool stuck = false;                // pending, for a reason that does not pass by itself: the user is told
  bool suspended = false;            // starting: it is stopped, and may go on; its silence is no end
  std::string note;                  // how it is done, for the log: "by libssh2"
  std::optional<int> poll_after_ms;  // ask again then: it cannot tell by itself

  bool operator==(const JobReport&) const = default;
};

// The command as it would be run: for people, and for tests. Holds no credential.
struct Rendered {
  std::string text;  // a line for a shell
};

struct PluginError {
  FailureCause cause = cause::none;
  std::string message;
};

// Exactly one of rendered, job, report, done and error is set.
struct PluginAnswer {
  std::uint64_t id = 0;
  std::optional<Rendered> rendered;  // to render
  std::vector<std::string> jobs;     // to start: one for each agent
  std::optional<int> poll_after_ms;  // with it
  std::optional<JobReport> report;   // to poll
  bool done = false;                 // to cancel
  std::optional<PluginError> error;  // to any
};

// Without a line end.
std::string encode(const PluginCall& call);
std::string encode(const PluginAnswer& answer);
std::string encode(const JobReport& news);

Result<PluginCall> parse_call(std::string_view line);
// The id of a call in which all else may be wrong.
std::optional<std::uint64_t> id_of_call(std::string_view line);

// What comes from a plugin: an answer, or news of a job.
struct FromPlugin {
  std::optional<PluginAnswer> answer;
  std::optional<JobReport> news;
};
Result<FromPlugin> parse_from_plugin(std::string_view line);

std::string_view name_of(JobState state);

}  // namespace tenkai
