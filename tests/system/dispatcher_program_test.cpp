// The real program, with a session and daemons that speak the protocol by hand.
#include <signal.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

// The daemons of these tests live in this process, and a cancelled task interrupts
// its daemon. (Catch2 has a handler of its own, so ignoring it is not enough.)
static const int blocked = [] {
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  return ::sigprocmask(SIG_BLOCK, &interrupts, nullptr);
}();

TEST_CASE("a task goes from the session to a daemon and its value back") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");
  REQUIRE(urls.size() == 2);
  TestDaemon daemon(urls[0]);

  dispatcher.submit(7, "expression");
  Frame task = daemon.task();
  daemon.finish(task, "value");
  Frame answer = dispatcher.resolved();

  CHECK(view_of(task.payload) == "expression");
  CHECK(answer.task == 7);
  CHECK(view_of(answer.payload) == "value");
  auto status = dispatcher.status();
  REQUIRE(status.size() == 3);
  CHECK(status[0] == std::vector<std::string>{"1"});
  CHECK(status[1] == std::vector<std::string>{urls[0], "1", "1", "1", "1", "idle"});
  CHECK(status[2] == std::vector<std::string>{urls[1], "0", "0", "0", "0", ""});
}

TEST_CASE("large payloads pass whole through every transport") {
  std::string url = GENERATE("", "url=tcp://127.0.0.1:0\n");
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n" + url);
  TestDaemon daemon(urls[0], dispatcher.credential(1));
  std::string large(300 * 1024, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 2654435761u >> 24);

  dispatcher.submit(1, large);
  Frame task = daemon.task();
  daemon.finish(task, view_of(task.payload));

  CHECK(view_of(dispatcher.resolved().payload) == large);
}

TEST_CASE("the task of a daemon that hangs up is done by another one") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");
  TestDaemon first(urls[0]);
  dispatcher.submit(1, "a");
  first.task();

  first.stream.close();
  TestDaemon second(urls[1]);
  Frame again = second.task();
  second.finish(again, "b");

  CHECK(again.attempt == 2);
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

TEST_CASE("a task that nobody runs in time resolves to 5") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\n");

  dispatcher.submit(1, "a", 30);

  CHECK(dispatcher.resolved().number(Key::code) == 5);
}

TEST_CASE("saisei gives a slot a new URL, and the old one leads nowhere") {
  TestDispatcher dispatcher;
  std::string given = GENERATE("", "url=ws://127.0.0.1:0/base\n", "url=ipc:///tmp/tenkai-test-saisei\n");
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n" + given);

  std::string fresh = dispatcher.request("saisei", 1);

  CHECK(!fresh.empty());
  CHECK(fresh != urls[0]);
  CHECK(dispatcher.status()[1][0] == fresh);
  if (given.empty()) {
    CHECK_THROWS(TestDaemon(urls[0]));
    CHECK_NOTHROW(TestDaemon(fresh));
  }
}

TEST_CASE("saisei by force closes the connection and resolves its task to 7") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);
  dispatcher.submit(1, "a");
  daemon.task();

  CHECK(dispatcher.request("saisei", 1, false).empty());
  std::string fresh = dispatcher.request("saisei", 1, true);

  CHECK(dispatcher.resolved().number(Key::code) == 7);
  CHECK(!daemon.stream.receive(Type::task).has_value());
  TestDaemon next(fresh);
  CHECK(dispatcher.status()[1][2] == "2");
}

TEST_CASE("a socket path that has no room for a new name is an answer, not an end") {
  TestDispatcher dispatcher;
  std::string path = "/tmp/tenkai-test-" + std::string(80, 'x');
  dispatcher.set_up("policy=queue\ndaemons=1\nurl=ipc://" + path + "\n");

  CHECK_THROWS_WITH(dispatcher.request("saisei", 1), saying("107"));
  CHECK(dispatcher.status()[1][0] == "ipc://" + path);
}

TEST_CASE("so it is where the URLs are to have such names from the start") {
  TestDispatcher dispatcher;
  std::string url = "ipc:///tmp/tenkai-test-" + std::string(80, 'x');

  CHECK_THROWS_WITH(dispatcher.set_up("policy=queue\ndaemons=1\ntoken=1\nurl=" + url + "\n"),
                    saying(url) && saying("107"));
}

TEST_CASE("a local daemon that fails to start later is told of") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\nurl=tcp://127.0.0.1:0\nrscript=/bin/false\n");
  Frame launch(Type::request);
  launch.task = 1;
  launch.payload = make_payload("slot=1\n");
  dispatcher.session.send(std::move(launch.with(Key::name, "launch")));

  CHECK(dispatcher.session.receive(Type::note)->text(Key::message).find("before it connected") !=
        std::string::npos);
}

TEST_CASE("with few descriptors large payloads are kept as copies") {
  TestDispatcher dispatcher(64);
  auto urls = dispatcher.set_up("policy=queue\ndaemons=20\n");
  std::vector<TestDaemon> daemons;
  for (int i = 0; i < 15; ++i) daemons.emplace_back(urls[static_cast<std::size_t>(i)]);

  constexpr std::uint64_t tasks = 100;
  for (std::uint64_t i = 1; i <= tasks; ++i) {
    Frame frame(Type::submit);
    frame.task = i;
    frame.payload = make_payload("expression " + std::to_string(i));
    dispatcher.session.send_as_file(frame);
  }
  std::set<std::string> values;
  for (std::uint64_t i = 0; i < tasks; ++i) {
    TestDaemon& daemon = daemons[i % daemons.size()];
    Frame task = daemon.task();
    daemon.finish(task, view_of(task.payload));
    values.insert(std::string(view_of(dispatcher.resolved().payload)));
  }

  CHECK(values.size() == tasks);
}

TEST_CASE("more local daemons than descriptors are refused at once") {
  TestDispatcher dispatcher(64);

  CHECK_THROWS_WITH(dispatcher.set_up("policy=queue\ndaemons=20\nlocal=1\nrscript=/bin/false\n"),
                    saying("21 | Out of files: 76 descriptors are needed"));
}

TEST_CASE("a second daemon at an occupied URL is refused, with the reason") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon first(urls[0]);

  CHECK_THROWS_WITH(TestDaemon(urls[0]), saying("is taken by another daemon"));
}

TEST_CASE("a stranger who sends anything but HELLO is dropped, and nobody else notices") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nurl=tcp://127.0.0.1:0\n");
  TestDaemon honest(urls[0], dispatcher.credential(1));
  std::string bytes = GENERATE(std::string("GET / HTTP/1.1\r\n\r\n"), std::string(200, '\0'),
                               std::string(200, '\xff'), encode_head(Frame(Type::task)),
                               std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + std::string(60, 'x'));

  TestPeer stranger = TestPeer::dial(urls[0]);
  stranger.send_bytes(bytes);

  CHECK(!stranger.receive(Type::welcome).has_value());
  dispatcher.submit(1, "a");
  honest.finish(honest.task(), "b");
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

TEST_CASE("the dispatcher ends with its session and says goodbye to its daemons") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);

  dispatcher.session.close();

  CHECK(daemon.stream.receive(Type::bye).has_value());
  CHECK(dispatcher.has_ended());
}

TEST_CASE("what cannot be set up is refused at once, with the cause") {
  TestDispatcher dispatcher;
  auto refused = GENERATE(table<std::string, std::string>({
      {"policy=queue\ndaemons=1\nurl=http://x:1\n", "3 | Invalid argument"},
      {"policy=queue\ndaemons=1\nurl=tcp://192.0.2.1:5555\n", "15 | Address invalid"},
      {"policy=queue\ndaemons=1\nlocal=1\nrscript=/no/such/Rscript\n", "cannot start /no/such/Rscript"},
      {"policy=queue\ndaemons=x\n", "daemons is 'x'"},
      {"policy=what\n", "policy is 'what'"},
      {"color=red\n", "'color' is not a setting"},
  }));

  CHECK_THROWS_WITH(dispatcher.set_up(std::get<0>(refused)), saying(std::get<1>(refused)));
  CHECK(dispatcher.has_ended());
}

TEST_CASE("a port in use is named as the cause") {
  TestDispatcher first;
  auto urls = first.set_up("policy=queue\ndaemons=1\nurl=tcp://127.0.0.1:0\n");
  TestDispatcher second;

  CHECK_THROWS_WITH(second.set_up("policy=queue\ndaemons=1\nurl=" + urls[0] + "\n"),
                    saying("10 | Address in use: cannot listen at " + urls[0]));
}

TEST_CASE("a vector of WebSocket URLs with port 0 shows one real port") {
  TestDispatcher dispatcher;

  auto urls =
      dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0/cpu\nurl=ws://127.0.0.1:0/gpu\n");

  REQUIRE(urls.size() == 2);
  CHECK(urls[0].find(":0/") == std::string::npos);
  CHECK(urls[1] == urls[0].substr(0, urls[0].size() - 3) + "gpu");
}

TEST_CASE("an R process that cannot start is the answer to await") {
  TestDispatcher dispatcher;
  TemporaryFolder folder;
  std::string rscript = write_program(folder / "Rscript", "echo no package of that name >&2; exit 3");
  dispatcher.set_up("policy=queue\ndaemons=1\nlocal=1\nrscript=" + rscript + "\n");

  CHECK_THROWS_WITH(dispatcher.request("await"), saying("ended with exit code 3") || saying("last lines"));
}
