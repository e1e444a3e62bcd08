// A daemon that has been let in and means ill: it loses what it had, and nobody else does.
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/siege.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

Frame answer_to(const Frame& task, std::string_view value) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  frame.rank = task.rank;
  frame.payload = make_payload(value);
  return frame;
}

// Answers that nobody waits for, made from a task that somebody else has.
std::vector<Frame> forgeries(const Frame& task) {
  Frame other_attempt = answer_to(task, "forged");
  other_attempt.attempt = task.attempt + 1;
  Frame no_attempt = answer_to(task, "forged");
  no_attempt.attempt = 0;
  Frame other_session = answer_to(task, "forged");
  other_session.session = task.session + 1;
  Frame unknown = answer_to(task, "forged");
  unknown.task = 0xFFFFFFFFFFFFFFFF;
  Frame of_everywhere = answer_to(task, "forged");
  of_everywhere.task = std::uint64_t{1} << 63 | 1;
  return {answer_to(task, "forged"), other_attempt, no_attempt, other_session, unknown, of_everywhere};
}

// A dispatcher with an honest daemon at slot 1 and one that is not at slot 2.
struct Court {
  TestDispatcher dispatcher;
  std::vector<std::string> urls =
      dispatcher.set_up("policy=queue\ndaemons=2\nurl=tcp://127.0.0.1:0\nurl=tcp://127.0.0.1:0\n");
  TestDaemon honest{urls[0], dispatcher.credential(1)};
  TestDaemon hostile{urls[1], dispatcher.credential(2)};

  std::string value() { return std::string(view_of(dispatcher.resolved().payload)); }

  // In the place of the hostile daemon.
  TestPeer hostile_agent() {
    hostile.stream.close();
    REQUIRE(eventually([this] { return dispatcher.status()[2][1] == "0"; }));
    TestPeer agent = TestPeer::dial(urls[1]);
    prove(agent, Role::agent, dispatcher.credential(2), hello(Role::agent, urls[1]));
    REQUIRE(agent.receive(Type::welcome));
    return agent;
  }
};

// The frame that comes, after all others, when the other end has heard everything.
void wait_until_heard(TestPeer& peer) {
  peer.send(Frame(Type::ping));
  REQUIRE(peer.receive(Type::pong));
}

}  // namespace

TEST_CASE("only the daemon that has a task answers it, and once", "[T10]") {
  Court court;
  court.dispatcher.submit(1, "for the honest one");
  Frame honest_task = court.honest.task();
  court.dispatcher.submit(2, "for the other");
  Frame own = court.hostile.task();

  for (const Frame& forged : forgeries(honest_task)) court.hostile.stream.send(forged);
  Frame wrong = answer_to(own, "of the attempt to come");
  wrong.attempt = own.attempt + 1;
  court.hostile.stream.send(wrong);
  court.hostile.finish(own, "own");
  court.hostile.finish(own, "own again");
  wait_until_heard(court.hostile.stream);

  Frame first = court.dispatcher.resolved();
  CHECK(first.task == 2);
  CHECK(view_of(first.payload) == "own");
  court.honest.finish(honest_task, "honest");
  CHECK(court.value() == "honest");
  // An answer to what has finished.
  court.hostile.stream.send(answer_to(honest_task, "late"));
  wait_until_heard(court.hostile.stream);
  CHECK(court.dispatcher.session.is_silent(50ms));
  CHECK(court.dispatcher.status()[1][4] == "1");
  CHECK(court.dispatcher.status()[2][4] == "1");
}

TEST_CASE("an answer to another attempt than the one that runs is no answer", "[T10]") {
  Court court;
  court.dispatcher.submit(1, "a");
  Frame task = court.honest.task();
  court.honest.stream.close();
  Frame again = court.hostile.task();
  REQUIRE(again.attempt == 2);

  Frame stale = answer_to(again, "of the first attempt");
  stale.attempt = task.attempt;
  court.hostile.stream.send(stale);
  wait_until_heard(court.hostile.stream);
  court.hostile.finish(again, "of the second");

  CHECK(court.value() == "of the second");
}

TEST_CASE("after sixteen answers that nobody waits for a daemon is sent away, and its task goes on",
          "[T10]") {
  Court court;
  court.dispatcher.submit(1, "for the honest one");
  Frame honest_task = court.honest.task();
  court.dispatcher.submit(2, "for the other");
  REQUIRE(court.hostile.task().task == 2);

  for (int i = 0; i < 16; ++i) court.hostile.stream.send(answer_to(honest_task, "forged"));
  wait_until_heard(court.hostile.stream);
  CHECK(court.dispatcher.status()[2][1] == "1");
  court.hostile.stream.send(answer_to(honest_task, "one too many"));
  CHECK(!court.hostile.stream.receive());

  CHECK(court.dispatcher.status()[2][1] == "0");
  court.honest.finish(honest_task, "honest");
  Frame taken_over = court.honest.task();
  CHECK(taken_over.task == 2);
  CHECK(taken_over.attempt == 2);
  court.honest.finish(taken_over, "done");
  CHECK(court.value() == "honest");
  CHECK(court.value() == "done");
}

TEST_CASE("a daemon that floods the dispatcher with answers is gone soon, and the load is not", "[T10]") {
  std::uint32_t rank = GENERATE(0u, 7u);
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  TestDaemon hostile(siege.url(2), siege.credential(2));
  std::string flood;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Frame forged(Type::finished);
    forged.rank = rank;
    forged.task = i;
    flood += encode_head(forged);
  }

  siege.while_it_works([&] {
    // A million of them, or as many as are listened to.
    std::string ended = thrown([&] {
      for (int i = 0; i < 1000; ++i) hostile.stream.send_bytes(flood);
    });
    CHECK(ended != "nothing");
  });

  CHECK(eventually([&] { return siege.dispatcher->status()[2][1] == "0"; }));
  siege.let_in(2);
}

TEST_CASE("a daemon that says what only others may say is sent away", "[T10]") {
  Type said = GENERATE(Type::hello, Type::welcome, Type::setup, Type::submit, Type::everywhere, Type::cancel,
                       Type::resolved, Type::request, Type::task, Type::join, Type::left, Type::challenge,
                       Type::proof);
  Court court;
  court.dispatcher.submit(1, "for the honest one");
  Frame honest_task = court.honest.task();

  Frame frame(said);
  frame.task = 1;
  frame.payload = make_payload("slots=1\n");
  court.hostile.stream.send(std::move(frame.with(Key::name, "status").with(Key::url, court.urls[0])));

  CHECK(!court.hostile.stream.receive());
  court.honest.finish(honest_task, "value");
  CHECK(court.value() == "value");
  CHECK(court.dispatcher.session.is_silent(20ms));
}

TEST_CASE("an agent speaks for its own daemons alone", "[T10]") {
  Court court;
  TestPeer agent = court.hostile_agent();
  court.dispatcher.submit(1, "for the honest one");
  Frame honest_task = court.honest.task();

  // It claims to hold the other's task, to be at the other's slot, and that others have died.
  Frame holds(Type::join);
  holds.session = honest_task.session;
  holds.task = honest_task.task;
  holds.attempt = honest_task.attempt;
  agent.send(std::move(holds.with(Key::url, court.urls[1]).with(Key::instance, "R")));
  REQUIRE(agent.receive(Type::welcome));
  agent.send(answer_to(honest_task, "forged"));
  Frame elsewhere(Type::join);
  elsewhere.rank = 1;
  agent.send(std::move(elsewhere.with(Key::url, court.urls[0]).with(Key::instance, "R")));
  CHECK(agent.receive(Type::refused));
  for (std::uint32_t rank = 0; rank < 4; ++rank) {
    Frame left(Type::left);
    left.rank = rank + 1;
    agent.send(std::move(left.with(Key::signal, 9).with(Key::instance, "R")));
  }
  wait_until_heard(agent);

  court.honest.finish(honest_task, "honest");
  CHECK(court.value() == "honest");
  CHECK(court.dispatcher.status()[1][1] == "1");
}

TEST_CASE("an agent tells the session of its own daemons that are not started again, and once", "[T10]") {
  Court court;
  TestPeer agent = court.hostile_agent();
  auto give_up = [&agent](std::uint32_t rank, const std::string& url) {
    Frame left(Type::left);
    left.rank = rank;
    left.with_kind(LeftKind::given_up).with(Key::failed, 3).with(Key::exit_code, 1);
    agent.send(std::move(left.with(Key::log_tail, "oh \x1b[2J dear\n").with(Key::url, url)));
  };

  give_up(0, court.urls[0]);
  give_up(1, court.urls[1]);
  give_up(1, court.urls[1]);
  give_up(1u << 31, court.urls[1]);
  wait_until_heard(agent);

  std::optional<Frame> note = court.dispatcher.session.receive(Type::note);
  REQUIRE(note);
  CHECK(
      says(note->text(Key::message), "daemon 2 is not started again: its R ended with exit code 1, 3 times"));
  CHECK(note->text(Key::message).find('\x1b') == std::string::npos);
  CHECK(court.dispatcher.session.is_silent(50ms));
}

TEST_CASE("a daemon's lie about a length costs it its place, and the dispatcher no memory", "[T10]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  TestDaemon hostile(siege.url(2), siege.credential(2));

  siege.while_it_works([&] {
    std::string bytes = encode_head(Frame(Type::finished));
    for (std::size_t i = 8; i < 16; ++i) bytes[i] = '\xff';
    hostile.stream.send_bytes(bytes);
    CHECK(!hostile.stream.receive());
  });

  siege.let_in(2);
}

TEST_CASE("what a daemon says of a failure can neither steer a terminal nor break off a message", "[T10]") {
  Court court;
  court.dispatcher.session.send(Frame(Type::everywhere));
  Frame task = court.hostile.task();

  Frame answer = answer_to(task, "");
  std::string words("no\0thing \x1b[2J\rtenkai: all is well\n", 34);
  court.hostile.stream.send(std::move(answer.with(Key::failed, 1).with(Key::message, words)));

  std::optional<Frame> note = court.dispatcher.session.receive(Type::note);
  REQUIRE(note);
  CHECK(says(note->text(Key::message), "everywhere() failed on daemon 2: no"));
  for (char byte : note->text(Key::message)) CHECK(static_cast<unsigned char>(byte) >= 0x20);
}

TEST_CASE("a daemon that complains without end fills no memory while the session is busy", "[T10]") {
  Court court;
  court.hostile.stream.close();
  REQUIRE(eventually([&] { return court.dispatcher.status()[2][1] == "0"; }));
  TestPeer agent = TestPeer::dial(court.urls[1]);
  prove(agent, Role::agent, court.dispatcher.credential(2), hello(Role::agent, court.urls[1]));
  constexpr int calls = 300;
  for (int i = 0; i < calls; ++i) court.dispatcher.session.send(Frame(Type::everywhere));

  // Each everywhere() fails. Then it is gone, and there again: that is told no more.
  Frame join(Type::join);
  join.with(Key::url, court.urls[1]).with(Key::instance, "R");
  Frame left = Frame(Type::left).with(Key::instance, "R").with_kind(LeftKind::goodbye);
  agent.send(join);
  Frame failed;
  for (int i = 0; i < calls; ++i) {
    failed = answer_to(*agent.receive(Type::task), "");
    failed.with(Key::failed, 1).with(Key::message, std::string(1000, 'x'));
    agent.send(failed);
  }
  for (int i = 0; i < 2000; ++i) {
    agent.send(left);
    agent.send(join);
    agent.send(failed);
  }
  wait_until_heard(agent);

  // As many as anybody reads, and the last says that there are more.
  CHECK(court.dispatcher.status()[1][1] == "1");
  std::size_t notes = 0;
  std::string last;
  while (!court.dispatcher.session.is_silent(50ms)) {
    last = court.dispatcher.session.receive(Type::note)->text(Key::message);
    ++notes;
  }
  CHECK(notes == 101);
  CHECK(says(last, "there is more to tell"));
}

TEST_CASE("an agent cannot say that it is a process that was started for another slot", "[T10]") {
  TestDispatcher dispatcher;
  TemporaryFolder folder;
  std::string noted = folder / "pid";
  std::string rscript = write_program(folder / "Rscript", "echo $$ >" + noted + "; exec sleep 600");
  std::vector<std::string> urls = dispatcher.set_up(
      "policy=queue\ndaemons=2\nurl=tcp://127.0.0.1:0\nurl=tcp://127.0.0.1:0\nrscript=" + rscript + "\n");
  Frame launch(Type::request);
  launch.task = 1;
  launch.payload = make_payload("slot=1\n");
  dispatcher.session.send(std::move(launch.with(Key::name, "launch")));
  REQUIRE(dispatcher.session.receive(Type::reply));
  pid_t victim = 0;
  REQUIRE(eventually([&] { return std::ifstream(noted) >> victim && victim > 0; }));

  // It joins as that process, and goes.
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  TestPeer agent = TestPeer::dial(urls[1]);
  Frame introduction = hello(Role::agent, urls[1]);
  introduction.with(Key::host, host).with(Key::pid, static_cast<std::uint64_t>(victim));
  prove(agent, Role::agent, dispatcher.credential(2), std::move(introduction));
  REQUIRE(agent.receive(Type::welcome));
  agent.send(Frame(Type::join).with(Key::url, urls[1]).with(Key::instance, "R"));
  REQUIRE(agent.receive(Type::welcome));
  agent.send(Frame(Type::bye));
  agent.close();
  REQUIRE(eventually([&] { return dispatcher.status()[2][1] == "0"; }));

  // The process is known as what it was.
  ::kill(victim, SIGKILL);
  CHECK_THAT(dispatcher.session.receive(Type::note)->text(Key::message),
             saying("daemon 1 was killed by signal 9 (SIGKILL) before it connected"));
}
