#include "launcher/bring/bringing.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/random_hex.h"
#include "base/text.h"

namespace tenkai::bring {
namespace {

// Both ends of a connection hold it in memory.
constexpr std::size_t max_archive = 256 * 1024 * 1024;

constexpr std::string_view hashes = "sha256sum";
constexpr std::string_view compresses = "gzip -n";

}  // namespace

template <class Function>
auto Bringing::alive(Function function) {
  return [alive = alive_, function = std::move(function)](auto&&... values) {
    if (*alive) function(std::forward<decltype(values)>(values)...);
  };
}

Bringing::Bringing(Programs& programs, Offers offers, std::string folder, Run run, OnDone on_done)
    : programs_(programs),
      offers_(std::move(offers)),
      folder_(std::move(folder)),
      run_(std::move(run)),
      on_done_(std::move(on_done)) {}

Bringing::~Bringing() {
  *alive_ = false;
  if (packing_ != 0) programs_.signal(packing_, SIGKILL);
  if (!parcel_.file.empty()) ::unlink(parcel_.file.c_str());
}

void Bringing::begin() {
  run_(survey_call(), "", alive([this](const JobReport& report) { on_survey(report); }));
}

void Bringing::fail(const std::string& why) { std::exchange(on_done_, nullptr)(Error{why}); }

void Bringing::on_survey(const JobReport& report) {
  if (!report.message.empty() && report.log.empty()) return fail(report.message);
  Result<There> there = parse_survey(report.log);
  if (!there) return fail(there.error().message);
  there_ = *there;
  Result<std::vector<Kind>> wanted = what_to_bring(there_, offers_);
  if (!wanted) return fail(wanted.error().message);
  wanted_ = *wanted;
  std::reverse(wanted_.begin(), wanted_.end());
  next();
}

void Bringing::next() {
  if (wanted_.empty()) return std::exchange(on_done_, nullptr)(brought_);
  parcel_ = Parcel{wanted_.back(), {}, {}};
  pack(std::string(hashes), [this](const std::string& text) { on_hash(text); });
}

// What a filter makes of the archive, of which nothing is kept here but that.
void Bringing::pack(const std::string& filter, std::function<void(std::string)> then) {
  packed_.clear();
  ProgramStart start;
  start.argv = {"/bin/sh", "-c", pack_command(parcel_.kind, offers_) + " | " + filter};
  start.on_output = alive([this](std::string_view bytes) {
    if (packed_.size() <= max_archive) packed_.append(bytes);
  });
  auto on_end = alive([this, then = std::move(then)](const ProgramEnd& end) {
    packing_ = 0;
    if (end.how.exit_code != 0 || !end.log.empty() || packed_.size() > max_archive)
      return fail("it could not be packed here (tar, gzip and sha256sum do that): " + printable(end.log));
    then(std::exchange(packed_, {}));
  });
  Result<pid_t> pid = programs_.start(std::move(start), on_end);
  if (!pid) return fail(pid.error().message);
  packing_ = *pid;
}

void Bringing::on_hash(const std::string& text) {
  parcel_.hash = text.substr(0, text.find(' '));
  if (there_.has.count(folder_of(parcel_, there_)) != 0) return take(parcel_);
  std::string filter(compresses);
  if (!folder_.empty()) {
    parcel_.file = folder_ + "/bring-" + random_hex(4);
    filter = "(umask 077; exec " + filter + " >" + shell_quote(parcel_.file) + ")";
  }
  pack(filter, [this](std::string archive) { send(std::move(archive)); });
}

void Bringing::send(std::string archive) {
  run_(receive_call(parcel_, there_), std::move(archive),
       alive([this](const JobReport& report) { on_received(report); }));
}

void Bringing::on_received(const JobReport& report) {
  if (!parcel_.file.empty()) ::unlink(std::exchange(parcel_.file, {}).c_str());
  Received received = parse_received(report.log);
  if (received.answer == Received::Answer::yes) return take(parcel_);
  // What was made here may miss a library there; what is made there does not.
  if (received.answer == Received::Answer::unloadable && !offers_.source.empty()) {
    wanted_.back() = Kind::source;
    return next();
  }
  fail(report.log.empty() && !report.message.empty() ? report.message : received.why);
}

void Bringing::take(const Parcel& parcel) {
  std::string folder = there_.cache + "/" + folder_of(parcel, there_);
  (parcel.kind == Kind::program ? brought_.program : brought_.library) = folder;
  wanted_.pop_back();
  next();
}

}  // namespace tenkai::bring
