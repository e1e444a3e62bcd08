#include "tests/scheduler/describe.h"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

#include "base/parcel.h"

namespace tenkai::tests {
namespace {

std::string text(std::uint64_t number) { return std::to_string(number); }
std::string text(const TaskKey& key) { return text(key.session) + "/" + text(key.task); }
std::string text(const TaskKey& key, std::uint32_t attempt) { return text(key) + "#" + text(attempt); }
std::string text(const Payload& payload) {
  std::string text(1, '"');
  text += view_of(payload);
  return text += '"';
}

std::string values(const Payload& parcel) {
  std::string text;
  std::optional<Parcel> found = Parcel::in(view_of(parcel));
  for (std::uint64_t i = 0; found && i < found->count(); ++i) text += " " + std::string((*found)[i]);
  return found ? text : " no parcel";
}

struct Describe {
  std::string operator()(const Assign& send) const {
    std::string what = send.is_everywhere() ? "everywhere of " + text(send.key.session)
                                            : "assign " + text(send.key, send.attempt);
    std::string label = send.label.empty() ? "" : " labelled " + send.label;
    if (send.kind == TaskKind::elements) return what + " to " + text(send.daemon) + values(send.payload);
    return what + " to " + text(send.daemon) + " " + text(send.payload) + label;
  }
  std::string operator()(const Share& send) const {
    return "share " + text(send.map) + " with " + text(send.daemon) + " " + text(send.payload);
  }
  std::string operator()(const Resolve& send) const {
    std::string what = "resolve " + text(send.key);
    if (send.count > 0) what += "+" + text(send.count);
    if (send.code == Code::none) return what + (send.failed ? " failed " : " ") + text(send.payload);
    return what + " code " + std::to_string(static_cast<int>(send.code)) + ": " + send.reason;
  }
  std::string operator()(const Interrupt& send) const {
    return "interrupt " + text(send.key, send.attempt) + " on " + text(send.daemon);
  }
  std::string operator()(const Kill& send) const { return "kill " + text(send.daemon); }
  std::string operator()(const HandBack& send) const { return "hand back " + text(send.daemon); }
  std::string operator()(const Acknowledge& send) const { return "acknowledge " + text(send.daemon); }
  std::string operator()(const Dismiss& send) const { return "dismiss " + text(send.daemon); }
  std::string operator()(const StartLocal&) const { return "launch"; }
  std::string operator()(const Tell& send) const { return "tell " + text(send.session) + ": " + send.text; }
};

}  // namespace

std::string describe(const Send& send) { return std::visit(Describe(), send); }

Lines describe(const Sends& sends) {
  Lines lines;
  for (const Send& send : sends) lines.push_back(describe(send));
  return lines;
}

Submit task(std::uint64_t number, std::string_view payload) {
  Submit submit;
  submit.task = number;
  submit.payload = make_payload(payload);
  return submit;
}

TaskKey key_of_everywhere(const Sends& sends) {
  for (const Send& send : sends) {
    const Assign* assign = std::get_if<Assign>(&send);
    if (assign != nullptr && assign->is_everywhere()) return assign->key;
  }
  throw std::logic_error("there is no everywhere() in these sends");
}

Dispatcher with_daemons(std::size_t count, Rules rules) {
  Dispatcher dispatcher(std::move(rules), count);
  dispatcher.on_session_joined(at({}), 1);
  for (std::size_t slot = 0; slot < count; ++slot) dispatcher.on_daemon_joined(at({}), 10 + slot, slot);
  return dispatcher;
}

}  // namespace tenkai::tests
