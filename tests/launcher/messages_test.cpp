#include "launcher/plugin/messages.h"

#include "tests/catch.h"

using namespace tenkai;

namespace {

LaunchRequest request() {
  LaunchRequest request;
  request.number = 7;
  request.profile = "gpu";
  request.daemons = 2;
  request.command = {"Rscript", "-e", "it's \"quoted\"\n\xFF"};
  request.input = "secret\n";
  request.urls = {"ws://h:1/1"};
  request.options["remote"] = {"ssh://a", "b"};
  return request;
}

PluginCall call_of(PluginCall::Verb verb) {
  PluginCall call;
  call.verb = verb;
  call.id = 3;
  call.key = "k";
  call.request = request();
  return call;
}

std::string problem_of_call(const std::string& line) {
  Result<PluginCall> call = parse_call(line);
  return call ? "" : call.error().message;
}

std::string problem_of_answer(const std::string& line) {
  Result<FromPlugin> said = parse_from_plugin(line);
  return said ? "" : said.error().message;
}

}  // namespace

TEST_CASE("a call arrives as it was sent, whatever bytes its arguments hold") {
  std::string line = encode(call_of(PluginCall::Verb::start));
  CHECK(line.find('\n') == std::string::npos);

  Result<PluginCall> call = parse_call(line);

  REQUIRE(call);
  CHECK(call->verb == PluginCall::Verb::start);
  CHECK(call->request.command == request().command);
  CHECK(call->request.input == "secret\n");
  CHECK(call->request.options == request().options);
  PluginCall many = call_of(PluginCall::Verb::start);
  many.request.agents = 3;
  many.request.chunk = 4;
  many.request.folder = "/f";
  many.request.session = "s";
  many.request.jobs = {"a", "b", "c"};
  CHECK(encode(*parse_call(encode(many))) == encode(many));
}

TEST_CASE("a call that only renders carries no secret") {
  CHECK(encode(call_of(PluginCall::Verb::render)).find("secret") == std::string::npos);
}

TEST_CASE("answers and news arrive as they were sent") {
  JobReport news;
  news.job = "j";
  news.state = JobState::ended;
  news.exit_code = 3;
  news.log = "two\nlines \xFF";
  CHECK(parse_from_plugin(encode(news))->news == news);

  PluginAnswer answer;
  answer.id = 9;
  answer.error = PluginError{cause::host_key, "no"};
  Result<FromPlugin> said = parse_from_plugin(encode(answer));
  REQUIRE(said);
  REQUIRE(said->answer);
  CHECK(said->answer->error->cause == cause::host_key);

  CHECK(parse_from_plugin(R"({"id":1,"job":"j","poll_after_ms":200})")->answer->poll_after_ms == 200);
  PluginAnswer both;
  both.jobs = {"7_0", "7_1"};
  CHECK(parse_from_plugin(encode(both))->answer->jobs == both.jobs);
  CHECK(parse_from_plugin(R"({"id":1})")->answer->done);
  CHECK(parse_from_plugin(R"({"id":1,"job":"j","state":"pending"})")->answer->report->state ==
        JobState::pending);
}

TEST_CASE("a cause that a plugin makes up counts as a fault of the plugin") {
  auto said = parse_from_plugin(R"({"job":"j","state":"failed","cause":"bad luck","message":"no"})");

  REQUIRE(said);
  CHECK(said->news->cause == cause::plugin);
  CHECK(said->news->message == "bad luck: no");
}

TEST_CASE("that a job waits for somebody, or is suspended, is told") {
  JobReport report;
  report.job = "5_0";
  report.state = JobState::pending;
  CHECK(encode(report).find("stuck") == std::string::npos);
  report.stuck = report.suspended = true;

  Result<FromPlugin> said = parse_from_plugin(encode(report));

  REQUIRE(said);
  CHECK(said->news == report);
}

TEST_CASE("what is no call is refused with the reason") {
  CHECK(problem_of_call("[]").find("no JSON object") == 0);
  CHECK(problem_of_call("{").find("no JSON") == 0);
  CHECK(problem_of_call(R"({"id":1,"do":"jump"})") == "'do' must be render, start, poll or cancel");
  CHECK(problem_of_call(R"({"id":1,"do":"start"})") == "'launch' must be an object");
  CHECK(problem_of_call(R"({"id":1,"do":"start","launch":{"command":["a"],"agents":0}})") ==
        "'launch.agents' must be a number from 1 to 1000000");
  CHECK(problem_of_call(R"({"id":-1,"do":"poll","job":"j"})") ==
        "'id' must be a number that is not negative");
  CHECK(problem_of_call(R"({"id":1,"do":"start","launch":{"command":[]}})") ==
        "'launch.command' must be a list of at least one text");
  CHECK(problem_of_call(R"({"id":1,"do":"start","launch":{"command":["a"],"options":{"x":"y"}}})") ==
        "'launch.options.x' must be a list of texts");
  CHECK(problem_of_call(R"({"id":1,"do":"start","launch":{"command":["a"],"daemons":0}})") ==
        "'launch.daemons' must be a number from 1 to 1000000");
  CHECK(problem_of_call(std::string(64, '[') + std::string(64, ']')).find("no JSON") == 0);
  CHECK(problem_of_call(std::string(max_plugin_line + 1, ' ')) == "a line of more than 4 MiB");
}

TEST_CASE("of a call that is no good the number is found, so that it can be answered") {
  CHECK(id_of_call(R"({"id":7,"do":"render","launch":{"command":[1]}})") == 7);
  CHECK(id_of_call(R"({"id":"7"})") == std::nullopt);
  CHECK(id_of_call("nonsense") == std::nullopt);
}

TEST_CASE("what is no answer is refused with the reason, and a long log is cut at the front") {
  CHECK(problem_of_answer(R"({"job":"j","state":"sideways"})") ==
        "'state' must be submitted, pending, starting, ended or failed");
  CHECK(problem_of_answer(R"({"state":"ended"})") == "'job' must be a text");
  CHECK(problem_of_answer(R"({"id":1,"error":{"message":7}})") == "'error.message' must be a text");
  CHECK(problem_of_answer(R"({"job":"j","state":"ended","exit_code":99999999999})") ==
        "'exit_code' must be a small number");
  std::string log = std::string(5000, 'a') + "end";
  Result<FromPlugin> said = parse_from_plugin(R"({"job":"j","state":"ended","log":")" + log + "\"}");
  CHECK(said->news->log.size() == 4096);
  CHECK(said->news->log.substr(4093) == "end");
}
