// Strangers, impostors and those between: who is not let in, and learns nothing.
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/random_hex.h"
#include "base/text.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/proxy.h"
#include "tests/system/siege.h"
#include "tests/system/tls_peer.h"
#include "tests/wire/handshake_by_hand.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

// What a stranger may be told at most.
constexpr std::size_t a_sentence = 512;

TlsIdentity new_identity(std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) {
  return std::move(*TlsIdentity::make({"127.0.0.1"}, now));
}

Credential parsed(const std::string& line) { return std::move(*parse_credential(line)); }

// A whole handshake by hand, of one who takes any CHALLENGE for good.
struct Attempt {
  Frame hello;
  Frame challenge;
  Frame proof;
  std::string answer;  // "WELCOME", what REFUSED says, or "end"
};

std::string words_of(const std::optional<Frame>& frame) {
  if (!frame) return "end";
  if (frame->type == Type::welcome) return "WELCOME";
  return frame->type == Type::refused ? frame->text(Key::message) : "something else";
}

Attempt attempt(TestPeer& peer, Role role, const CredentialId& id, const Secret& token,
                const std::string& url, const std::string& binding = {}) {
  Attempt made;
  made.hello = hello_by_hand(role, id, 0, program_version);
  peer.send(made.hello);
  std::optional<Frame> challenge = peer.receive(Type::challenge);
  if (!challenge) throw std::runtime_error("no CHALLENGE came");
  made.challenge = std::move(*challenge);
  Frame introduction = hello(role, url);
  made.proof = careless_proof(token, made.hello, made.challenge, std::move(introduction), binding);
  peer.send(made.proof);
  made.answer = words_of(peer.receive());
  return made;
}

// This thread connects as nobody for a while; only root can do that.
class AsNobody {
 public:
  AsNobody() { worked_ = ::syscall(SYS_setresuid, -1, nobody, -1) == 0; }
  ~AsNobody() {
    if (worked_) (void)::syscall(SYS_setresuid, -1, 0, -1);
  }
  static bool is_possible() { return ::geteuid() == 0; }

 private:
  static constexpr long nobody = 65534;
  bool worked_;
};

}  // namespace

TEST_CASE("another user of this machine is not answered at a local socket", "[T1]") {
  if (!AsNobody::is_possible()) return;
  std::string door = "abstract://" + random_hex(12);
  Siege siege({"abstract://" + random_hex(12), door});

  siege.while_it_works([&] {
    for (const std::string& url : siege.urls) {
      AsNobody nobody;
      TestPeer stranger = TestPeer::dial(url);
      // It may be gone already.
      (void)thrown([&] { stranger.send(hello(Role::daemon, url)); });
      CHECK(bytes_until_end(stranger, 2s) == 0);
    }
  });

  CHECK(siege.log.count("refused uid 65534") == 2);
  CHECK(siege.dispatcher->status()[2][2] == "0");
}

TEST_CASE("an impostor of another user at a local socket gets no byte", "[T1]") {
  if (!AsNobody::is_possible()) return;
  std::string name = random_hex(12);
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  {
    AsNobody nobody;
    REQUIRE(::listen(listener.get(), 1) == 0);
  }
  RealAgent agent("abstract://" + name);
  TestPeer taken(Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));

  CHECK(bytes_until_end(taken) == 0);
  CHECK(says(thrown([&] { agent.greet(); }), "refused uid 65534"));
}

TEST_CASE("a stranger gets through TLS, and no further than a sentence", "[T2]") {
  Siege siege({"tls+tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"});
  Credential known = parsed(siege.credential(2));
  TlsIdentity own = new_identity();
  TlsPeer::Settings shows_own;
  shows_own.shown = &own;
  TlsPeer::Settings old;
  old.newest = TLS1_2_VERSION;

  siege.while_it_works([&] {
    CHECK(says(TlsPeer::dial(siege.port(2), old)->failure(), "alert protocol version"));

    for (const TlsPeer::Settings& settings : {TlsPeer::Settings(), shows_own}) {
      auto without_credential = TlsPeer::dial(siege.port(2), settings);
      REQUIRE(without_credential->failure() == "");
      without_credential->stream.send(hello(Role::agent, siege.url(2)));
      std::string answer = text_until_end(without_credential->stream, 2s);
      CHECK(says(answer, "must have a credential"));
      CHECK(answer.size() < a_sentence);
    }

    auto invented = TlsPeer::dial(siege.port(2));
    auto wrong = TlsPeer::dial(siege.port(2));
    Secret token = std::move(*Secret::random());
    Attempt of_nobody = attempt(invented->stream, Role::agent, {}, token, siege.url(2), invented->binding());
    Attempt of_thief = attempt(wrong->stream, Role::agent, known.id, token, siege.url(2), wrong->binding());
    // Whether an id is known is nobody's business.
    CHECK(says(of_nobody.answer, "the proof of the credential is wrong"));
    CHECK(of_thief.answer == of_nobody.answer);
    CHECK(bytes_until_end(invented->stream, 2s) == 0);
    CHECK(bytes_until_end(wrong->stream, 2s) == 0);
    CHECK(wrong->received() == invented->received());
    CHECK(wrong->received() < a_sentence);
  });

  CHECK(siege.dispatcher->status()[2][2] == "0");
  siege.let_in(2);
}

TEST_CASE("who has only said HELLO is no daemon yet", "[T2]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  Credential known = parsed(siege.credential(2));
  siege.dispatcher->submit(1, "waits for no stranger");
  Frame task = siege.honest->task();

  for (Type type :
       {Type::join, Type::finished, Type::ping, Type::bye, Type::setup, Type::submit, Type::hello}) {
    TestPeer stranger = TestPeer::dial(siege.url(2));
    stranger.send(hello_by_hand(Role::agent, known.id, 0, program_version));
    REQUIRE(stranger.receive(Type::challenge));
    Frame early(type);
    early.session = task.session;
    early.task = task.task;
    early.attempt = task.attempt;
    stranger.send(std::move(early.with(Key::url, siege.url(2))));
    CHECK(says(words_of(stranger.receive()), "the proof of the credential is wrong"));
    CHECK(!stranger.receive());
  }
  siege.honest->finish(task, "value");

  CHECK(view_of(siege.dispatcher->resolved().payload) == "value");
  CHECK(siege.dispatcher->status()[2][2] == "0");
}

TEST_CASE("nothing is said to a listener with another key than the credential names", "[T3]") {
  std::string scheme = GENERATE("tls+tcp", "wss");
  Credential credential;
  credential.token = std::move(*Secret::random());
  credential.pin = new_identity().pin();
  TlsIdentity impostor = new_identity();
  Port port;
  RealAgent agent(scheme + "://127.0.0.1:" + std::to_string(port.number()), encode(credential));
  agent.say_hello();

  auto peer = TlsPeer::answer(port.accept(), impostor);
  // In TLS 1.3 the listener's part can be over before the dialler has refused.
  if (peer->failure().empty()) {
    CHECK(bytes_until_end(peer->stream) == 0);
  }

  CHECK(peer->received() == 0);
  std::optional<Frame> answer = agent.r.receive();
  CHECK(says(words_of(answer), "27 | Peer could not be authenticated"));
  CHECK(says(words_of(answer), "not the dispatcher that this credential was made for (it has another key)"));
}

TEST_CASE("who takes over the port of a dispatcher that died gets nothing from its agents", "[T3]") {
  Siege siege({"tls+tcp://127.0.0.1:0"}, "reconnect_ms=1200\n");
  std::uint16_t number = siege.port(1);
  TlsIdentity impostor = new_identity();

  siege.dispatcher->kill(SIGKILL);
  REQUIRE(siege.dispatcher->has_ended());
  Port port(number);
  std::size_t dials = 0;
  std::size_t bytes = 0;
  auto has_given_up = [&] { return siege.honest->log.count(" error: ") > 0; };
  while (!has_given_up() && dials < 100) {
    Descriptor caller = port.accept(50ms);
    if (!caller) continue;
    ++dials;
    auto peer = TlsPeer::answer(std::move(caller), impostor);
    if (peer->failure().empty()) {
      peer->stream.send(Frame(Type::welcome).with(Key::version, program_version));
      (void)thrown([&] { bytes += bytes_until_end(peer->stream); });
    }
  }

  // It tries again, with pauses, and gives up in the end.
  CHECK(dials >= 2);
  CHECK(dials < 20);
  CHECK(bytes == 0);
  std::string log = siege.honest->log.text();
  CHECK(says(log.substr(log.rfind(" error: ")), "it has another key"));
  siege.check_log();
}

TEST_CASE("a listener that cannot prove anything gets a HELLO, and no PROOF", "[T3]") {
  Credential credential;
  credential.token = std::move(*Secret::random());
  Port port;
  RealAgent agent("tcp://127.0.0.1:" + std::to_string(port.number()), encode(credential));
  agent.say_hello();
  TestPeer impostor(port.accept());
  std::optional<Frame> first = impostor.receive();
  REQUIRE(first);
  std::string expected;

  SECTION("it says WELCOME at once") {
    impostor.send(Frame(Type::welcome).with(Key::version, program_version));
    expected = "did not say WELCOME";
  }
  SECTION("it sends a task at once") {
    Frame task(Type::task);
    task.payload = make_payload("system('rm -rf ~')");
    impostor.send(std::move(task));
    expected = "did not say WELCOME";
  }
  SECTION("it invents a proof") {
    impostor.send(challenge_by_hand(*Secret::random(), *first, program_version, ""));
    expected = "does not know this credential";
  }
  SECTION("it has no proof") {
    impostor.send(without_proof(challenge_by_hand(*Secret::random(), *first, program_version, "")));
    expected = "does not answer like a dispatcher";
  }
  SECTION("it sends the HELLO back") {
    impostor.send(*first);
    expected = "did not say WELCOME";
  }
  SECTION("it sends the HELLO back as a CHALLENGE") {
    Frame mirrored = *first;
    mirrored.type = Type::challenge;
    impostor.send(std::move(mirrored));
    expected = "does not answer like a dispatcher";
  }

  CHECK(first->type == Type::hello);
  CHECK(first->find(Key::host) == nullptr);
  CHECK(bytes_until_end(impostor) == 0);
  CHECK(says(words_of(agent.r.receive()), expected));
}

TEST_CASE("a listener cannot make an agent reserve memory before it has proved itself", "[T3]") {
  Credential credential;
  credential.token = std::move(*Secret::random());
  Port port;
  RealAgent agent("tcp://127.0.0.1:" + std::to_string(port.number()), encode(credential));
  agent.say_hello();
  TestPeer impostor(port.accept());
  REQUIRE(impostor.receive());

  Frame large(Type::challenge);
  large.payload = make_payload(std::string(8192, 'x'));
  impostor.send(std::move(large));

  CHECK(bytes_until_end(impostor) == 0);
}

TEST_CASE("what was recorded, mirrored or relayed proves nothing", "[T4]") {
  Siege siege({"tls+tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"});
  // Good for many starts, so that it is the proof that must be found wrong.
  Credential job = parsed(siege.job_credential("2,3", 1, 100));
  Secret token = rank_token(job.token, 0);
  TestPeer good = TestPeer::dial(siege.url(2));
  Attempt recorded = attempt(good, Role::agent, job.id, token, siege.url(2));
  REQUIRE(recorded.answer == "WELCOME");

  siege.while_it_works([&] {
    TestPeer replay = TestPeer::dial(siege.url(2));
    replay.send(recorded.hello);
    REQUIRE(replay.receive(Type::challenge));
    replay.send(recorded.proof);
    CHECK(says(words_of(replay.receive()), "the proof of the credential is wrong"));

    TestPeer mirror = TestPeer::dial(siege.url(2));
    mirror.send(hello_by_hand(Role::agent, job.id, 0, program_version));
    Frame own_proof = *mirror.receive(Type::challenge);
    own_proof.type = Type::proof;
    mirror.send(std::move(own_proof));
    CHECK(says(words_of(mirror.receive()), "the proof of the credential is wrong"));
    TestPeer mirror_of_hello = TestPeer::dial(siege.url(2));
    mirror_of_hello.send(recorded.challenge);
    CHECK(bytes_until_end(mirror_of_hello, 2s) == 0);

    // The victim takes the one between for the dispatcher, having checked no pin.
    TlsIdentity between = new_identity();
    Port port;
    auto victim_dials = std::async(std::launch::async, [&] { return TlsPeer::dial(port.number()); });
    auto to_victim = TlsPeer::answer(port.accept(), between);
    auto victim = victim_dials.get();
    auto to_dispatcher = TlsPeer::dial(siege.port(3));
    REQUIRE(victim->failure() + to_victim->failure() + to_dispatcher->failure() == "");

    DiallerHandshake careful(job.id, token.copy(), 0, victim->binding());
    Frame hello = *careful.hello(Role::agent, program_version);
    victim->stream.send(hello);
    to_dispatcher->stream.send(*to_victim->stream.receive());
    to_victim->stream.send(*to_dispatcher->stream.receive());
    Frame challenge = *victim->stream.receive();
    CHECK(!careful.on_challenge(challenge, Frame()));
    victim->stream.send(careless_proof(token, hello, challenge, Frame(), victim->binding()));
    to_dispatcher->stream.send(*to_victim->stream.receive());
    CHECK(says(words_of(to_dispatcher->stream.receive()), "the proof of the credential is wrong"));
  });

  CHECK(siege.log.count("could not prove that it has a credential") == 3);
  // None of them has pushed out the one who has proved it.
  good.send(Frame(Type::ping));
  CHECK(good.receive(Type::pong));
}

TEST_CASE("the credential of one slot opens no other", "[T4]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  std::string own = siege.credential(3);

  SECTION("to a daemon") {
    TestPeer daemon = TestPeer::dial(siege.url(3));
    prove(daemon, Role::daemon, own, hello(Role::daemon, siege.url(2)));
    CHECK(says(words_of(daemon.receive()), "the credential it has is not for " + siege.url(2)));
  }
  SECTION("to a daemon at the other's port") {
    TestPeer daemon = TestPeer::dial(siege.url(2));
    prove(daemon, Role::daemon, own, hello(Role::daemon, siege.url(2)));
    CHECK(says(words_of(daemon.receive()), "the credential it has is not for " + siege.url(2)));
  }
  SECTION("to a daemon behind an agent") {
    TestPeer agent = TestPeer::dial(siege.url(3));
    prove(agent, Role::agent, own, hello(Role::agent, siege.url(3)));
    REQUIRE(words_of(agent.receive()) == "WELCOME");
    Frame join(Type::join);
    agent.send(std::move(join.with(Key::url, siege.url(2)).with(Key::instance, "R")));
    CHECK(says(words_of(agent.receive()), "the credential it has is not for " + siege.url(2)));
  }
  SECTION("nor the session's place") {
    TestPeer session = TestPeer::dial(siege.url(3));
    prove(session, Role::session, own, hello(Role::session, siege.url(3)));
    CHECK(says(words_of(session.receive()), "only daemons and agents come in here"));
  }

  CHECK(siege.dispatcher->status()[2][2] == "0");
}
