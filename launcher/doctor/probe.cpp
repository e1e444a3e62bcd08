#include "launcher/doctor/probe.h"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/random_hex.h"
#include "base/text.h"
#include "base/url.h"
#include "base/version.h"
#include "launcher/doctor/probe_checks.h"
#include "launcher/plugin/launch_folder.h"
#include "launcher/profile/value.h"
#include "process/programs.h"
#include "wire/own_addresses.h"

namespace tenkai::doctor {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t max_report = std::size_t{64} * 1024;
constexpr std::size_t max_callers = 64;
constexpr std::chrono::seconds caller_limit{10};
// When one has come, the others have so long.
constexpr std::chrono::seconds grace{5};
constexpr std::chrono::seconds time_to_end{15};
constexpr std::chrono::milliseconds look_pause{500};

class Probe {
 public:
  Probe(const Patient& patient, std::chrono::seconds limit)
      : patient_(patient), programs_(io_.get_executor()) {
    outcome_.limit = limit;
    outcome_.launcher = patient.launcher();
    outcome_.own = own_addresses();
    outcome_.own_version = program_version;
    outcome_.plan.word = random_hex(16);
    outcome_.plan.rscript = patient.deployment->rscript;
  }

  Checks run() {
    Result<Done> open = listen();
    if (!open)
      return {wrong("probe.job", "port", open.error().message, "let the profile have port 0, or another")};
    Result<std::string> folder = make_launch_folder();
    if (!folder) return {wrong("probe.folder", "folder of jobs", folder.error().message, "see above")};
    outcome_.plan.folder = *folder;
    outcome_.begun = static_cast<double>(std::time(nullptr));
    start();
    accept();
    look();
    give_up_.expires_after(outcome_.limit);
    give_up_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) finish();
    });
    io_.run();
    outcome_.ended = static_cast<double>(std::time(nullptr));
    remove_launch_folder(*folder);
    return judge_probe(outcome_);
  }

 private:
  struct Caller {
    explicit Caller(tcp::socket socket) : stream(std::move(socket)), timer(stream.get_executor()) {}
    tcp::socket stream;
    asio::steady_timer timer;
    std::string text;
  };

  Result<Done> listen();
  bool listen_at(const asio::ip::address& address, PortRange ports);
  void start();
  void accept();
  void hear(const std::shared_ptr<Caller>& caller);
  void look();
  void on_report();
  void finish();

  const Patient& patient_;
  asio::io_context io_{1};
  Programs programs_;
  tcp::acceptor acceptor_{io_};
  asio::steady_timer give_up_{io_};
  asio::steady_timer look_{io_};
  std::optional<pid_t> job_;
  std::size_t callers_ = 0;
  bool ending_ = false;
  ProbeOutcome outcome_;
};

bool Probe::listen_at(const asio::ip::address& address, PortRange ports) {
  for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
    boost::system::error_code failed;
    tcp::endpoint end(address, static_cast<std::uint16_t>(port));
    acceptor_ = tcp::acceptor(io_);
    acceptor_.open(end.protocol(), failed);
    if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor_.bind(end, failed);
    if (!failed) acceptor_.listen(16, failed);
    if (!failed) return true;
  }
  return false;
}

// Where the dispatcher would listen, in clear: what is said holds no secret.
Result<Done> Probe::listen() {
  Result<Url> url = parse_url(patient_.deployment->url);
  if (!url) return url.error();
  PortRange ports{url->port, url->port};
  if (url->port == 0) ports = parse_ports(patient_.deployment->ports).value_or(PortRange());
  boost::system::error_code no_address;
  asio::ip::address address = asio::ip::make_address(url->host, no_address);
  bool listens = (!no_address && listen_at(address, ports)) || listen_at(asio::ip::address_v4::any(), ports);
  if (!listens) return Error{"none of the ports that the profile allows can be listened at"};
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  outcome_.dialled = url->host.empty() ? name : url->host;
  outcome_.plan.port = acceptor_.local_endpoint().port();
  outcome_.plan.addresses = {outcome_.dialled};
  bool six = acceptor_.local_endpoint().address().is_v6();
  for (const OwnAddress& each : outcome_.own) {
    bool fits = (each.address.find(':') != std::string::npos) == six;
    if (fits && each.address != outcome_.dialled) outcome_.plan.addresses.push_back(each.address);
  }
  return Done{};
}

// Carried, as the worker of another program would be: so it has the profile's environment, and ends with
// whoever has launched it.
void Probe::start() {
  ProgramStart carry;
  carry.argv = {patient_.program, "carry", "--profile", patient_.profile->name, probe_script(outcome_.plan)};
  Result<pid_t> pid = programs_.start(std::move(carry), [this](const ProgramEnd& end) {
    job_.reset();
    outcome_.has_ended = !ending_;
    outcome_.trouble = end.log;
    // What it has sent may still be on its way.
    if (ending_) return io_.stop();
    give_up_.expires_after(std::chrono::seconds(2));
    give_up_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) finish();
    });
  });
  if (pid) job_ = *pid;
  else outcome_.trouble = pid.error().message;
}

void Probe::accept() {
  acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
    if (failed || ending_) return;
    if (callers_ < max_callers) hear(std::make_shared<Caller>(std::move(socket)));
    accept();
  });
}

void Probe::hear(const std::shared_ptr<Caller>& caller) {
  ++callers_;
  caller->timer.expires_after(caller_limit);
  caller->timer.async_wait([caller](boost::system::error_code cancelled) {
    boost::system::error_code ignored;
    if (!cancelled) caller->stream.close(ignored);
  });
  asio::async_read(caller->stream, asio::dynamic_buffer(caller->text, max_report), asio::transfer_all(),
                   [this, caller](boost::system::error_code, std::size_t) {
                     caller->timer.cancel();
                     --callers_;
                     ProbeCall call;
                     if (!read_probe_call(caller->text, outcome_.plan.word, call)) return;
                     outcome_.calls.push_back(std::move(call));
                     on_report();
                   });
}

// For what the job has left in the folder, where it cannot come back.
void Probe::look() {
  std::ifstream file(outcome_.plan.folder + "/report");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.size() <= max_report && trim(text).ends_with("@over=yes")) {
    outcome_.left = std::move(text);
    return on_report();
  }
  look_.expires_after(look_pause);
  look_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && !ending_) look();
  });
}

void Probe::on_report() {
  if (outcome_.calls.size() >= outcome_.plan.addresses.size()) return finish();
  if (outcome_.calls.size() + (outcome_.left.empty() ? 0 : 1) > 1) return;
  give_up_.expires_after(grace);
  give_up_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) finish();
  });
}

void Probe::finish() {
  if (std::exchange(ending_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (!job_) return io_.stop();
  programs_.signal(*job_, SIGTERM);
  give_up_.expires_after(time_to_end);
  give_up_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    if (job_) programs_.signal(*job_, SIGKILL);
    io_.stop();
  });
}

}  // namespace

Checks probe(const Patient& patient, std::chrono::seconds limit) {
  if (patient.deployment == nullptr)
    return {
        skipped("probe.job", "probe", "there is no good profile to launch it by; name one with --profile")};
  if (!patient.may_launch)
    return {skipped("probe.job", "probe", "no profile can be launched before the files are mended")};
  if (patient.launcher().empty())
    return {
        skipped("probe.job", "probe", "daemons of this profile are on this machine, which was looked at")};
  auto tunnel = patient.deployment->options.find("tunnel");
  if (tunnel != patient.deployment->options.end())
    return {skipped("probe.job", "probe",
                    "daemons come back through the tunnel; the connections to the machines "
                    "have told the rest")};
  return Probe(patient, limit).run();
}

}  // namespace tenkai::doctor
