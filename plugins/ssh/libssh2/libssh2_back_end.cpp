#include "plugins/ssh/libssh2/libssh2_back_end.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "plugins/ssh/client_failure.h"
#include "plugins/ssh/libssh2/connection.h"

namespace tenkai {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds first_backoff{200};
constexpr std::chrono::milliseconds longest_backoff{5000};
constexpr std::chrono::seconds longest_absence{60};
// The server of a connection that was lost holds the port until it notices.
constexpr std::chrono::seconds patience_with_port{10};

class Libssh2BackEnd : public BackEnd {
 public:
  Libssh2BackEnd(asio::any_io_executor executor, Libssh2Host host, Events events)
      : executor_(executor),
        host_(std::move(host)),
        where_(to_string(Remote{host_.settings.user, host_.settings.host, host_.settings.port})),
        events_(std::move(events)),
        timer_(executor) {}

  ~Libssh2BackEnd() override {
    *alive_ = false;
    if (connection_) connection_->close();
  }

  void start(SshJob job) override {
    std::string name = job.name;
    Job& added = jobs_[name];
    added.holds_only = job.command.empty();
    added.patient = added.holds_only;
    added.since = Clock::now();
    added.what = std::move(job);
    if (is_open_) return begin(name);
    if (!connection_ && !waits_) connect();
  }

  void cancel(const std::string& name) override {
    auto found = jobs_.find(name);
    if (found == jobs_.end()) return;
    JobReport report;
    report.state = JobState::ended;
    report.message = "it was cancelled";
    finish(name, std::move(report));
  }

  void close() override {
    closing_ = true;
    std::vector<std::string> unbegun;
    for (const auto& [name, job] : jobs_) {
      if (!job.begun && !job.holds_only) unbegun.push_back(name);
    }
    for (const std::string& name : unbegun) {
      JobReport report;
      report.state = JobState::failed;
      report.cause = cause::cancelled;
      report.message = "the session ended before it began";
      finish(name, std::move(report));
    }
    end_idle_holders();
  }

 private:
  struct Job {
    SshJob what;
    bool begun = false;       // its command runs, as far as we know
    bool holds_only = false;  // no command (any more), the tunnel alone
    bool patient = false;     // its ports may be held by a server before us
    std::size_t answers = 0;  // of its ports
    Clock::time_point since;
    std::shared_ptr<CommandChannel> command;
    std::unique_ptr<asio::steady_timer> timer;
  };

  // From within the connection's callbacks neither it nor a job's command may go.
  template <class Function>
  void later(Function function) {
    asio::post(executor_, [alive = alive_, function = std::move(function)] {
      if (*alive) function();
    });
  }

  void connect() {
    waits_ = false;
    Connection::Events events;
    events.opened = [this] { on_opened(); };
    events.refused = [this](const Refusal& refusal) { later([this, refusal] { on_refused(refusal); }); };
    events.lost = [this](const std::string& why) { later([this, why] { on_lost(why); }); };
    events.stream_ended = [this] { later([this] { end_idle_holders(); }); };
    connection_ = std::make_shared<Connection>(executor_, host_, std::move(events));
    connection_->run();
  }

  void on_opened() {
    is_open_ = true;
    was_open_ = true;
    backoff_ = first_backoff;
    for (const std::string& name : names()) begin(name);
  }

  void on_refused(const Refusal& refusal) {
    connection_.reset();
    if (was_open_) return on_still_lost(refusal.failure);
    jobs_.clear();
    events_.refused(refusal);
  }

  void on_lost(const std::string& why) {
    connection_.reset();
    is_open_ = false;
    listening_.clear();
    lost_at_ = Clock::now();
    for (const std::string& name : names()) on_lost_by(name, why);
    reconnect();
  }

  void on_lost_by(const std::string& name, const std::string& why) {
    Job& job = jobs_[name];
    job.command.reset();
    job.timer.reset();
    if (job.what.ports.empty() && (job.begun || closing_)) {
      JobReport report;
      report.state = JobState::ended;
      report.message = sentence::lost(where_, why + "; what became of the command is not known");
      return finish(name, std::move(report));
    }
    if (job.begun) job.holds_only = true;
    job.patient = true;
    note(name, sentence::lost(where_, why) + "; it is made again");
  }

  void on_still_lost(const Failure& failure) {
    bool final = failure.cause == cause::host_key || failure.cause == cause::auth_refused;
    if (!final && !closing_ && Clock::now() - lost_at_ < longest_absence) return reconnect();
    for (const std::string& name : names()) {
      JobReport report;
      report.state = JobState::ended;
      report.message = sentence::lost(where_, "and could not be made again: " + failure.message);
      finish(name, std::move(report));
    }
  }

  void reconnect() {
    if (jobs_.empty()) return;
    waits_ = true;
    timer_.expires_after(backoff_);
    backoff_ = std::min(backoff_ * 2, longest_backoff);
    timer_.async_wait([this, alive = alive_](boost::system::error_code failed) {
      if (!failed && *alive && waits_) connect();
    });
  }

  // First its ports, then its command.
  void begin(const std::string& name) {
    Job& job = jobs_[name];
    job.since = Clock::now();
    job.answers = 0;
    if (job.what.ports.empty()) return on_ports(name);
    for (std::uint16_t port : job.what.ports) ask_port(name, port);
  }

  void ask_port(const std::string& name, std::uint16_t port) {
    if (std::find(listening_.begin(), listening_.end(), port) != listening_.end()) return on_port(name);
    connection_->listen(port, [this, alive = alive_, name, port](bool listens) {
      if (!*alive) return;
      if (listens) listening_.push_back(port);
      if (jobs_.count(name) == 0) return later([this] { drop_ports(); });
      if (listens || std::count(listening_.begin(), listening_.end(), port) != 0) return on_port(name);
      on_port_refused(name, port);
    });
  }

  void on_port(const std::string& name) {
    Job& job = jobs_[name];
    if (++job.answers == job.what.ports.size()) on_ports(name);
  }

  void on_port_refused(const std::string& name, std::uint16_t port) {
    Job& job = jobs_[name];
    if (job.patient && Clock::now() - job.since < patience_with_port) {
      job.timer = std::make_unique<asio::steady_timer>(executor_, first_backoff);
      return job.timer->async_wait([this, alive = alive_, name, port](boost::system::error_code failed) {
        if (!failed && *alive && is_open_ && jobs_.count(name) != 0) ask_port(name, port);
      });
    }
    JobReport report;
    report.state = job.begun ? JobState::ended : JobState::failed;
    report.cause = cause::tunnel_port;
    report.message = sentence::tunnel_port(where_, std::to_string(port));
    later([this, name, report] { finish(name, report); });
  }

  void on_ports(const std::string& name) {
    Job& job = jobs_[name];
    if (job.holds_only) {
      note(name, "the tunnel is open, by libssh2");
      return later([this] { end_idle_holders(); });
    }
    job.command = std::make_shared<CommandChannel>(
        job.what.command, std::move(job.what.input), [this, name] { on_begun(name); },
        [this, name](CommandResult result) {
          later([this, name, result = std::move(result)] { on_end(name, result); });
        });
    job.what.input.clear();
    connection_->start(job.command);
  }

  void on_begun(const std::string& name) {
    jobs_[name].begun = true;
    note(name, "by libssh2");
  }

  void on_end(const std::string& name, const CommandResult& result) {
    auto found = jobs_.find(name);
    if (found == jobs_.end()) return;
    if (!result.began) {
      // Servers allow ten sessions on a connection, if not told otherwise.
      found->second.holds_only = true;
      found->second.command.reset();
      return events_.hand_back(
          name, where_ + " opens no further session on the connection (" + result.failure + ")");
    }
    JobReport report;
    report.state = JobState::ended;
    report.exit_code = result.exit_code;
    report.signal = result.signal;
    report.log = result.log;
    report.message = result.failure;
    finish(name, std::move(report));
  }

  void finish(const std::string& name, JobReport report) {
    auto found = jobs_.find(name);
    if (found == jobs_.end()) return;
    std::shared_ptr<CommandChannel> command = std::move(found->second.command);
    jobs_.erase(found);
    if (command && connection_) connection_->drop(*command);
    drop_ports();
    if (jobs_.empty()) disconnect();
    report.job = name;
    report.where = where_;
    events_.tell(std::move(report));
  }

  // Nobody needs them any more.
  void drop_ports() {
    auto is_needed = [this](std::uint16_t port) {
      return std::any_of(jobs_.begin(), jobs_.end(), [port](const auto& job) {
        return std::count(job.second.what.ports.begin(), job.second.what.ports.end(), port) != 0;
      });
    };
    auto first = std::partition(listening_.begin(), listening_.end(), is_needed);
    for (auto port = first; port != listening_.end(); ++port) {
      if (connection_) connection_->stop_listening(*port);
    }
    listening_.erase(first, listening_.end());
  }

  void disconnect() {
    waits_ = false;
    is_open_ = false;
    was_open_ = false;
    listening_.clear();
    timer_.cancel();
    if (connection_) connection_->close();
    connection_.reset();
  }

  // The session has ended: a tunnel is needed until its daemons have taken leave.
  void end_idle_holders() {
    if (!closing_ || (connection_ && is_open_ && connection_->streams() != 0)) return;
    for (const std::string& name : names()) {
      const Job& job = jobs_[name];
      if (!job.holds_only || job.what.stays) continue;
      JobReport report;
      report.state = JobState::ended;
      report.message = "its tunnel was closed";
      finish(name, std::move(report));
    }
  }

  void note(const std::string& name, std::string text) {
    JobReport report;
    report.job = name;
    report.state = JobState::starting;
    report.where = where_;
    report.note = std::move(text);
    events_.tell(std::move(report));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, job] : jobs_) names.push_back(name);
    return names;
  }

  asio::any_io_executor executor_;
  Libssh2Host host_;
  std::string where_;
  Events events_;
  asio::steady_timer timer_;
  std::shared_ptr<Connection> connection_;
  bool is_open_ = false;
  bool was_open_ = false;
  bool waits_ = false;  // to connect again
  bool closing_ = false;
  Clock::time_point lost_at_;
  std::chrono::milliseconds backoff_ = first_backoff;
  std::map<std::string, Job> jobs_;
  std::vector<std::uint16_t> listening_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<BackEnd> make_libssh2_back_end(asio::any_io_executor executor, Libssh2Host host,
                                               BackEnd::Events events) {
  return std::make_unique<Libssh2BackEnd>(executor, std::move(host), std::move(events));
}

}  // namespace tenkai
