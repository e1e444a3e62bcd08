#include "launcher/plugin/messages.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> verbs{"render", "start", "poll", "cancel"};
constexpr std::array<std::string_view, 5> states{"submitted", "pending", "starting", "ended", "failed"};
// How many texts a list may have.
constexpr std::size_t max_texts = 100'000;
constexpr std::size_t max_log = 4096;

template <class Names>
std::optional<std::size_t> index_of(const Names& names, std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

// Reads the members of an object, and remembers the first that is of the wrong kind.
class Members {
 public:
  explicit Members(const json::object& object, std::string inside = {})
      : object_(object), inside_(std::move(inside)) {}

  std::string text(const char* name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return {};
    if (const json::string* string = value->if_string()) return std::string(std::string_view(*string));
    complain(name, "a text");
    return {};
  }

  std::optional<std::int64_t> number(const char* name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (value->is_int64()) return value->get_int64();
    complain(name, "a whole number");
    return std::nullopt;
  }

  // The number of something that is counted: an id, a launch.
  std::uint64_t ordinal(const char* name) {
    std::int64_t value = number(name).value_or(0);
    if (value < 0) complain(name, "a number that is not negative");
    return value < 0 ? 0 : static_cast<std::uint64_t>(value);
  }

  std::size_t count(const char* name, std::int64_t least, std::int64_t otherwise) {
    std::int64_t value = number(name).value_or(otherwise);
    if (value < least || value > 1'000'000) {
      complain(name, "a number from " + std::to_string(least) + " to 1000000");
    }
    return static_cast<std::size_t>(std::max(value, least));
  }

  std::optional<int> small_number(const char* name) {
    std::optional<std::int64_t> value = number(name);
    if (!value) return std::nullopt;
    if (*value >= -1'000'000 && *value <= 1'000'000) return static_cast<int>(*value);
    complain(name, "a small number");
    return std::nullopt;
  }

  bool flag(const char* name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return false;
    if (value->is_bool()) return value->get_bool();
    complain(name, "true or false");
    return false;
  }

  std::vector<std::string> texts(const char* name) {
    const json::value* value = object_.if_contains(name);
    std::vector<std::string> found;
    if (value != nullptr && !read_texts(*value, found)) complain(name, "a list of texts");
    return found;
  }

  const json::object* object(const char* name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return nullptr;
    if (value->is_object()) return &value->get_object();
    complain(name, "an object");
    return nullptr;
  }

  static bool read_texts(const json::value& value, std::vector<std::string>& into) {
    if (!value.is_array() || value.get_array().size() > max_texts) return false;
    for (const json::value& each : value.get_array()) {
      if (!each.is_string()) return false;
      into.emplace_back(std::string_view(each.get_string()));
    }
    return true;
  }

  void complain(std::string_view name, std::string_view wanted) {
    if (problem_.empty()) problem_ = "'" + inside_ + std::string(name) + "' must be " + std::string(wanted);
  }
  const std::string& problem() const { return problem_; }

 private:
  const json::object& object_;
  std::string inside_;
  std::string problem_;
};

Result<json::object> parse_object(std::string_view line) {
  if (line.size() > max_plugin_line) return Error{"a line of more than 4 MiB"};
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 8;
  // Arguments and what programs write may hold any bytes.
  options.allow_invalid_utf8 = true;
  json::value value = json::parse(json::string_view(line.data(), line.size()), failed, {}, options);
  if (failed) return Error{"no JSON (" + failed.message() + "): " + printable(line)};
  if (!value.is_object()) return Error{"no JSON object: " + printable(line)};
  return std::move(value.get_object());
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object object_of(const LaunchRequest& request, bool with_input) {
  json::object launch;
  launch["number"] = request.number;
  launch["profile"] = request.profile;
  launch["daemons"] = request.daemons;
  if (request.agents != 1) launch["agents"] = request.agents;
  if (request.chunk != 0) launch["chunk"] = request.chunk;
  if (!request.folder.empty()) launch["folder"] = request.folder;
  if (!request.session.empty()) launch["session"] = request.session;
  launch["command"] = array_of(request.command);
  if (!request.agent.empty()) launch["agent"] = array_of(request.agent);
  if (with_input) launch["input"] = request.input;
  launch["urls"] = array_of(request.urls);
  json::object options;
  for (const auto& [name, texts] : request.options) options[name] = array_of(texts);
  launch["options"] = std::move(options);
  if (request.running) launch["running"] = true;
  if (!request.jobs.empty()) launch["jobs"] = array_of(request.jobs);
  if (request.stays) launch["stays"] = true;
  if (request.finishes) launch["finishes"] = true;
  return launch;
}

Result<LaunchRequest> request_of(const json::object& object) {
  Members members(object, "launch.");
  LaunchRequest request;
  request.number = members.ordinal("number");
  request.profile = members.text("profile");
  request.daemons = members.count("daemons", 1, 1);
  request.agents = members.count("agents", 1, 1);
  request.chunk = members.count("chunk", 0, 0);
  request.folder = members.text("folder");
  request.session = members.text("session");
  request.command = members.texts("command");
  if (request.command.empty()) members.complain("command", "a list of at least one text");
  request.agent = members.texts("agent");
  request.input = members.text("input");
  request.urls = members.texts("urls");
  if (const json::object* options = members.object("options")) {
    for (const auto& [name, value] : *options) {
      if (!Members::read_texts(value, request.options[std::string(name)])) {
        members.complain("options." + std::string(name), "a list of texts");
      }
    }
  }
  request.running = members.flag("running");
  request.jobs = members.texts("jobs");
  request.stays = members.flag("stays");
  request.finishes = members.flag("finishes");
  if (!members.problem().empty()) return Error{members.problem()};
  return request;
}

void put(json::object& into, const JobReport& report) {
  into["job"] = report.job;
  into["state"] = name_of(report.state);
  if (report.cause != cause::none) into["cause"] = name_of(report.cause);
  if (!report.message.empty()) into["message"] = report.message;
  if (!report.where.empty()) into["where"] = report.where;
  if (!report.reason.empty()) into["reason"] = report.reason;
  if (report.exit_code) into["exit_code"] = *report.exit_code;
  if (report.signal) into["signal"] = *report.signal;
  if (!report.log.empty()) into["log"] = report.log;
  if (report.stuck) into["stuck"] = true;
  if (report.suspended) into["suspended"] = true;
  if (!report.note.empty()) into["note"] = report.note;
  if (report.poll_after_ms) into["poll_after_ms"] = *report.poll_after_ms;
}

std::string last_of(std::string text, std::size_t limit) {
  keep_last_lines(text, limit);
  return text;
}

// A plugin that makes up a word of its own breaks the rules; what it means by it stands before its
// message then.
PluginError cause_in(Members& members) {
  std::string word = members.text("cause");
  std::string message = last_of(members.text("message"), max_log);
  if (std::optional<FailureCause> cause = cause_named(word)) return {*cause, std::move(message)};
  return {cause::plugin, last_of(std::move(word) + ": " + message, max_log)};
}

JobReport report_of(Members& members) {
  JobReport report;
  report.job = members.text("job");
  std::optional<std::size_t> state = index_of(states, members.text("state"));
  if (!state) members.complain("state", "submitted, pending, starting, ended or failed");
  report.state = static_cast<JobState>(state.value_or(0));
  PluginError told = cause_in(members);
  report.cause = told.cause;
  report.message = std::move(told.message);
  report.where = members.text("where");
  report.reason = members.text("reason");
  report.exit_code = members.small_number("exit_code");
  report.signal = members.small_number("signal");
  report.log = last_of(members.text("log"), max_log);
  report.stuck = members.flag("stuck");
  report.suspended = members.flag("suspended");
  report.note = last_of(members.text("note"), max_log);
  report.poll_after_ms = members.small_number("poll_after_ms");
  return report;
}

}  // namespace

std::string LaunchRequest::option(const std::string& name, const std::string& otherwise) const {
  auto found = options.find(name);
  return found == options.end() || found->second.empty() ? otherwise : found->second.front();
}

std::string_view name_of(JobState state) { return states[static_cast<std::size_t>(state)]; }

std::string encode(const PluginCall& call) {
  json::object object;
  object["id"] = call.id;
  object["do"] = verbs[static_cast<std::size_t>(call.verb)];
  if (call.deadline.count() > 0) object["deadline_ms"] = call.deadline.count();
  if (!call.key.empty()) object["key"] = call.key;
  if (!call.job.empty()) object["job"] = call.job;
  bool starts = call.verb == PluginCall::Verb::start;
  if (starts || call.verb == PluginCall::Verb::render) object["launch"] = object_of(call.request, starts);
  return json::serialize(object);
}

Result<PluginCall> parse_call(std::string_view line) {
  Result<json::object> object = parse_object(line);
  if (!object) return object.error();
  Members members(*object);
  PluginCall call;
  call.id = members.ordinal("id");
  std::optional<std::size_t> verb = index_of(verbs, members.text("do"));
  if (!verb) members.complain("do", "render, start, poll or cancel");
  call.verb = static_cast<PluginCall::Verb>(verb.value_or(0));
  call.deadline = std::chrono::milliseconds(members.number("deadline_ms").value_or(0));
  call.key = members.text("key");
  call.job = members.text("job");
  const json::object* launch = members.object("launch");
  if (verb && *verb <= 1) {
    if (launch == nullptr) {
      members.complain("launch", "an object");
    } else {
      Result<LaunchRequest> request = request_of(*launch);
      if (!request) return request.error();
      call.request = std::move(*request);
    }
  }
  if (!members.problem().empty()) return Error{members.problem()};
  return call;
}

std::optional<std::uint64_t> id_of_call(std::string_view line) {
  Result<json::object> object = parse_object(line);
  if (!object) return std::nullopt;
  std::optional<std::int64_t> id = Members(*object).number("id");
  if (!id || *id < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*id);
}

std::string encode(const PluginAnswer& answer) {
  json::object object;
  object["id"] = answer.id;
  if (answer.error) {
    object["error"] =
        json::object{{"cause", name_of(answer.error->cause)}, {"message", answer.error->message}};
  }
  if (answer.rendered) object["text"] = answer.rendered->text;
  if (answer.jobs.size() == 1) object["job"] = answer.jobs.front();
  if (answer.jobs.size() > 1) object["jobs"] = array_of(answer.jobs);
  if (answer.report) put(object, *answer.report);
  return json::serialize(object);
}

std::string encode(const JobReport& news) {
  json::object object;
  put(object, news);
  return json::serialize(object);
}

Result<FromPlugin> parse_from_plugin(std::string_view line) {
  Result<json::object> object = parse_object(line);
  if (!object) return object.error();
  Members members(*object);
  FromPlugin from;
  if (object->if_contains("id") == nullptr) {
    from.news = report_of(members);
    if (from.news->job.empty()) members.complain("job", "a text");
  } else {
    PluginAnswer answer;
    answer.id = members.ordinal("id");
    if (const json::object* error = members.object("error")) {
      Members inside(*error, "error.");
      answer.error = cause_in(inside);
      if (!inside.problem().empty()) return Error{inside.problem()};
    } else if (object->if_contains("text") != nullptr) {
      answer.rendered = Rendered{members.text("text")};
    } else if (object->if_contains("state") != nullptr) {
      answer.report = report_of(members);
    } else if (object->if_contains("job") != nullptr) {
      answer.jobs = {members.text("job")};
      answer.poll_after_ms = members.small_number("poll_after_ms");
    } else if (object->if_contains("jobs") != nullptr) {
      answer.jobs = members.texts("jobs");
      answer.poll_after_ms = members.small_number("poll_after_ms");
    } else {
      answer.done = true;
    }
    from.answer = std::move(answer);
  }
  if (!members.problem().empty()) return Error{members.problem()};
  return from;
}

}  // namespace tenkai
