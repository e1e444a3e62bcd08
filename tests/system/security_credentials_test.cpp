// Credentials that were used, replaced or have expired, and certificates out of date.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/lines.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/proxy.h"
#include "tests/system/siege.h"
#include "tests/system/tls_peer.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::system_clock;

std::string value_of(TestDispatcher& dispatcher) {
  return std::string(view_of(dispatcher.resolved().payload));
}

// Why an agent with this credential is not let in; "nothing" where it is.
std::string refusal_of(const std::string& url, const std::string& credential,
                       std::vector<std::string> more = {}) {
  RealAgent agent(url, credential, std::move(more));
  return thrown([&] { agent.greet(); });
}

bool is_in(Siege& siege, std::uint64_t slot) { return siege.dispatcher->status()[slot][1] == "1"; }

// A credential that no dispatcher has made.
std::string line_for(std::optional<Digest> pin, Clock::time_point until = {}) {
  Credential credential;
  credential.token = std::move(*Secret::random());
  credential.pin = pin;
  credential.not_after = static_cast<std::uint64_t>(Clock::to_time_t(until));
  return encode(credential);
}

// What an agent says of a dispatcher whose certificate was made at this time, for a
// week; "HELLO" where it goes on and greets.
std::string judgement_of_certificate(Clock::time_point made) {
  TlsIdentity identity = std::move(*TlsIdentity::make({"127.0.0.1"}, made, std::chrono::hours(24 * 7)));
  Port port;
  RealAgent agent("tls+tcp://127.0.0.1:" + std::to_string(port.number()), line_for(identity.pin()));
  agent.say_hello();
  auto peer = TlsPeer::answer(port.accept(), identity);
  if (peer->failure().empty()) {
    std::optional<Frame> first = peer->stream.receive();
    if (first && first->type == Type::hello) return "HELLO";
  }
  CHECK(peer->received() == 0);
  std::optional<Frame> answer = agent.r.receive();
  return answer ? answer->text(Key::message) : "nothing";
}

}  // namespace

TEST_CASE("a credential that was used opens nothing to whoever has copied it", "[T5]") {
  Siege siege({"wss://127.0.0.1:0/1", "wss://127.0.0.1:0/2"}, "reconnect_ms=300\n");
  std::string line = siege.credential(2);
  auto first = std::make_unique<RealAgent>(siege.url(2), line);
  first->greet();

  CHECK(says(refusal_of(siege.url(2), line), "for slot 2, has been used already: it is good for one daemon"));
  CHECK(is_in(siege, 2));
  first.reset();
  CHECK(says(refusal_of(siege.url(2), line), "launch_remote() on the host makes a new command"));

  CHECK(eventually([&] { return !is_in(siege, 2); }));
  siege.let_in(2);
  siege.check_log();
}

TEST_CASE("the one whose credential was copied is not disturbed by the thief", "[T5]") {
  Siege siege({"wss://127.0.0.1:0/1", "wss://127.0.0.1:0/2"});
  std::string line = siege.credential(2);
  RealAgent owner(siege.url(2), line);
  owner.greet();
  RealAgent thief(siege.url(2), line);

  siege.while_it_works([&] { CHECK(says(thrown([&] { thief.greet(); }), "has been used already")); });

  // Two are at work now, and one of them holds its task.
  siege.dispatcher->submit(1, "a");
  siege.dispatcher->submit(2, "b");
  owner.finish(owner.task(), "value");
  siege.honest->finish(siege.honest->task(), "value");
  CHECK(value_of(*siege.dispatcher) == "value");
  CHECK(value_of(*siege.dispatcher) == "value");
}

TEST_CASE("after saisei() neither the old URL nor the old credential is good for anything", "[T5]") {
  std::string scheme = GENERATE("ws", "wss");
  Siege siege({scheme + "://127.0.0.1:0/1", scheme + "://127.0.0.1:0/2"});
  std::string old_url = siege.url(2);
  std::string old_line = siege.credential(2);

  std::string new_url = siege.dispatcher->request("saisei", 2);
  siege.urls[1] = new_url;
  std::string new_line = siege.credential(2);

  REQUIRE(new_url != old_url);
  CHECK(new_line != old_line);
  CHECK(says(refusal_of(old_url, old_line), "HTTP status 404"));
  CHECK(says(refusal_of(old_url, new_line), "HTTP status 404"));
  CHECK(says(refusal_of(new_url, old_line), "this credential, for slot 2, was replaced by saisei()"));
  CHECK(!is_in(siege, 2));
  CHECK(refusal_of(new_url, new_line) == "nothing");
  siege.check_log();
}

TEST_CASE("saisei by force ends the running task, and the new credential works at once", "[T5]") {
  Siege siege({"ws://127.0.0.1:0/1", "ws://127.0.0.1:0/2"});
  Proxy proxy(siege.port(2));
  RealAgent old_one(with_port(siege.url(2), proxy.port()), siege.credential(2));
  old_one.greet();
  siege.dispatcher->submit(1, "for the honest one");
  Frame busy = siege.honest->task();
  siege.dispatcher->submit(2, "for the other");
  Frame taken = old_one.task();
  REQUIRE(taken.task == 2);

  siege.urls[1] = siege.dispatcher->request("saisei", 2, true);
  RealAgent new_one(siege.url(2), siege.credential(2));
  new_one.greet();
  siege.dispatcher->submit(3, "for the new one");
  Frame next = new_one.task();
  old_one.finish(taken, "too late");
  new_one.finish(next, "in time");

  Frame ended = siege.dispatcher->resolved();
  CHECK(ended.task == 2);
  CHECK(ended.number(Key::code) == 7);
  CHECK(value_of(*siege.dispatcher) == "in time");
  siege.honest->finish(busy, "honest");
  CHECK(value_of(*siege.dispatcher) == "honest");
}

TEST_CASE("who was sent away by saisei() does not come back with the secret it got", "[T5]") {
  std::string scheme = GENERATE("ws", "wss");
  Siege siege({scheme + "://127.0.0.1:0/1", scheme + "://127.0.0.1:0/2"});
  Proxy proxy(siege.port(2));
  RealAgent old_one(with_port(siege.url(2), proxy.port()), siege.credential(2));
  old_one.greet();

  siege.urls[1] = siege.dispatcher->request("saisei", 2, true);
  int dials = proxy.connections();
  proxy.cut();

  CHECK(eventually([&] { return proxy.connections() > dials + 1; }));
  CHECK(!is_in(siege, 2));
  siege.let_in(2);
}

TEST_CASE("where a slot keeps its URL, saisei() still voids what nobody has used", "[T5]") {
  std::string door = GENERATE("tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0");
  Siege siege({"tcp://127.0.0.1:0", door});
  std::string old_line = siege.credential(2);

  CHECK(siege.dispatcher->request("saisei", 2) == "");

  CHECK(says(refusal_of(siege.url(2), old_line), "this credential, for slot 2, was replaced by saisei()"));
  CHECK(siege.credential(2) != old_line);
  siege.let_in(2);
}

TEST_CASE("who was refused has no way back", "[T5]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  TestDaemon owner(siege.url(2), siege.credential(2));
  TestPeer second = TestPeer::dial(siege.url(2));
  Resumption way_back = prove(second, Role::daemon, siege.credential(2), hello(Role::daemon, siege.url(2)));
  std::optional<Frame> answer = second.receive();
  REQUIRE(answer);
  REQUIRE(says(answer->text(Key::message), "is taken by another daemon"));

  Credential as_credential;
  as_credential.id = way_back.id;
  as_credential.token = way_back.token.copy();
  TestPeer again = TestPeer::dial(siege.url(2));

  CHECK(says(
      thrown([&] { prove(again, Role::daemon, encode(as_credential), hello(Role::daemon, siege.url(2))); }),
      "does not know this credential"));
  CHECK(is_in(siege, 2));
}

TEST_CASE("a job's credential lets in its ranks and their requeues, and no more", "[T20]") {
  std::vector<std::string> doors(3, "tls+tcp://127.0.0.1:0");
  Siege siege(doors);
  std::string line = siege.job_credential("2,3", 2, 2);
  auto start = [&](int rank) {
    return std::make_unique<RealAgent>(siege.url(rank == 0 ? 2 : 3), line,
                                       std::vector<std::string>{"--rank", std::to_string(rank)});
  };

  auto zero = start(0);
  auto one = start(1);
  zero->greet();
  one->greet();
  // Slurm starts rank 1 again; of the first one nobody has heard that it is dead.
  auto requeued = start(1);
  requeued->greet();
  CHECK(is_in(siege, 3));
  CHECK(says(refusal_of(siege.url(3), line, {"--rank", "1"}),
             "has been used already: it is good for 2 starts"));
  CHECK(says(refusal_of(siege.url(2), line, {"--rank", "2"}), "does not know this credential"));
  CHECK(says(refusal_of(siege.url(2), line, {"--rank", "4294967295"}), "does not know this credential"));

  // Those who are in were not disturbed by any of it.
  siege.dispatcher->submit(1, "a");
  siege.dispatcher->submit(2, "b");
  siege.dispatcher->submit(3, "c");
  for (RealAgent* agent : {siege.honest.get(), zero.get(), requeued.get()}) {
    agent->finish(agent->task(), "value");
    CHECK(value_of(*siege.dispatcher) == "value");
  }
  siege.check_log();
}

TEST_CASE("a requeued rank takes over the task that its dead one held", "[T20]") {
  Siege siege({"abstract://tenkai-test-" + std::to_string(::getpid()), "tcp://127.0.0.1:0"});
  std::string line = siege.job_credential("2", 1, 2);
  RealAgent first(siege.url(2), line, {"--rank", "0"});
  first.greet();
  siege.dispatcher->submit(1, "for the honest one");
  Frame busy = siege.honest->task();
  siege.dispatcher->submit(2, "for the job");
  REQUIRE(first.task().task == 2);

  RealAgent requeued(siege.url(2), line, {"--rank", "0"});
  requeued.greet();
  Frame again = requeued.task();
  requeued.finish(again, "value");

  CHECK(again.task == 2);
  CHECK(again.attempt == 2);
  CHECK(value_of(*siege.dispatcher) == "value");
  siege.honest->finish(busy, "honest");
  CHECK(value_of(*siege.dispatcher) == "honest");
}

TEST_CASE("sessions that begin at once share the credential file that one of them makes") {
  TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    std::string path = folder / ("kept." + std::to_string(round));
    std::vector<std::unique_ptr<TestDispatcher>> dispatchers;
    for (int i = 0; i < 4; ++i) {
      dispatchers.push_back(std::make_unique<TestDispatcher>());
      dispatchers.back()->greet();
    }
    for (auto& each : dispatchers) {
      Frame setup(Type::setup);
      setup.payload =
          make_payload("policy=queue\ndaemons=1\nurl=tls+tcp://127.0.0.1:0\ncredential_file=" + path);
      each->session.send(std::move(setup));
    }
    std::set<std::string> certificates;
    for (auto& each : dispatchers) {
      std::optional<Frame> answer = each->session.receive();
      REQUIRE(answer);
      REQUIRE(answer->text(Key::message) == "");
      certificates.insert(each->request("certificate"));
    }
    CHECK(certificates.size() == 1);
  }
}

TEST_CASE("an agent does not dial with a credential that has expired, and says so", "[T20]") {
  Port port;
  std::string url = "tcp://127.0.0.1:" + std::to_string(port.number());

  RealAgent late(url, line_for(std::nullopt, Clock::now() - 1min));
  CHECK(says(thrown([&] { late.greet(); }), "the credential has expired; launch_remote()"));
  CHECK(!port.accept(50ms));

  RealAgent in_time(url, line_for(std::nullopt, Clock::now() + 1h));
  in_time.say_hello();
  CHECK(port.accept());
}

TEST_CASE("an agent says why it does not take a certificate that is out of date", "[T20]") {
  CHECK(says(judgement_of_certificate(Clock::now() - 24h * 8), "its certificate expired on 20"));
  CHECK(says(judgement_of_certificate(Clock::now() - 24h * 8), "the clock here says 20"));
  CHECK(says(judgement_of_certificate(Clock::now() + 24h), "its certificate is not valid before 20"));
  CHECK(says(judgement_of_certificate(Clock::now() + 10min), "is not valid before 20"));
}

TEST_CASE("clocks that differ by less than five minutes are no trouble", "[T20]") {
  CHECK(judgement_of_certificate(Clock::now() + 4min + 30s) == "HELLO");
  CHECK(judgement_of_certificate(Clock::now() - 24h * 7 + 1h) == "HELLO");
}

TEST_CASE("a dispatcher is not set up with a certificate that is out of date", "[T20]") {
  TlsIdentity expired = std::move(*TlsIdentity::make({"127.0.0.1"}, Clock::now() - 24h * 8));
  std::string pem = escape_line(expired.private_pem());
  TestDispatcher dispatcher;

  std::string reason = thrown(
      [&] { dispatcher.set_up("policy=queue\ndaemons=1\nurl=wss://127.0.0.1:0\ntls_pem=" + pem + "\n"); });

  CHECK(says(reason, "expired on 20"));
  CHECK(says(reason, "get one that is valid now"));
}
