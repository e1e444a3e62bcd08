#include "wire/handshake.h"

#include <optional>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/wire/handshake_by_hand.h"

using namespace tenkai;
using namespace tenkai::test;

namespace {

constexpr std::string_view version = "1.2.3";

Secret a_token(unsigned char first = 1) {
  Secret token;
  for (std::size_t i = 0; i < Secret::size(); ++i) token.data()[i] = static_cast<unsigned char>(first + i);
  return token;
}

CredentialId an_id() {
  CredentialId id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<unsigned char>(100 + i);
  return id;
}

Frame introduction() { return Frame(Type::hello).with(Key::url, "tcp://h:1").with(Key::host, "node7"); }

// Both ends, with what each of them knows and where each of them is.
struct Meeting {
  Secret of_listener = a_token();
  Secret of_dialler = a_token();
  std::string listeners_channel = "one channel";
  std::string diallers_channel = "one channel";

  ListenerHandshake listener{listeners_channel};
  DiallerHandshake dialler{an_id(), of_dialler.copy(), 0, diallers_channel};

  Frame hello = *dialler.hello(Role::agent, version);
  Frame challenge = *listener.on_hello(hello, of_listener, version);
  Result<Frame> proof = dialler.on_challenge(challenge, introduction());
};

Frame changed(Frame frame, Key key, std::string_view value) {
  for (Attribute& attribute : frame.attributes) {
    if (attribute.key == key) attribute.value = value;
  }
  return frame;
}

}  // namespace

TEST_CASE("two that have the same credential prove it to each other", "[T4]") {
  Meeting meeting;

  REQUIRE(meeting.proof);
  CHECK(meeting.listener.on_proof(*meeting.proof));
  CHECK(meeting.proof->text(Key::host) == "node7");
}

TEST_CASE("after a handshake both can come to the same second credential, and no other pair can", "[T4]") {
  Meeting one, other;

  CHECK(one.listener.resumption().id == one.dialler.resumption().id);
  CHECK(one.listener.resumption().token == one.dialler.resumption().token);
  CHECK(one.listener.resumption().id != other.listener.resumption().id);
  CHECK(!(one.listener.resumption().token == other.listener.resumption().token));
  CHECK(!(one.listener.resumption().token == one.of_listener));
}

// What two programs of different versions, or by other hands, would have to agree on.
TEST_CASE("the proofs are what the protocol says, with one key for each direction", "[T4]") {
  Meeting meeting;
  std::string nonces = meeting.hello.text(Key::nonce) + meeting.challenge.text(Key::nonce);
  std::string said = encode_head(meeting.hello) + encode_head(without_proof(meeting.challenge));
  std::string heard =
      said_before_proof(meeting.hello, meeting.challenge) + encode_head(without_proof(*meeting.proof));
  auto by_hand = [&](std::string_view label, const std::string& text) {
    return proof_by_hand(meeting.of_dialler, nonces, label, text, "one channel");
  };

  CHECK(meeting.challenge.text(Key::proof) == by_hand("tenkai 1 listener", said));
  CHECK(meeting.proof->text(Key::proof) == by_hand("tenkai 1 dialler", heard));
  CHECK(meeting.challenge.text(Key::proof) != by_hand("tenkai 1 dialler", said));
}

TEST_CASE("a dialler proves nothing to a listener without the credential", "[T3]") {
  Meeting impostor{.of_listener = a_token(7)};

  REQUIRE(!impostor.proof);
  CHECK(impostor.proof.error().message.find("does not know this credential") != std::string::npos);
}

TEST_CASE("a listener takes no proof from one without the credential", "[T2]") {
  Meeting meeting;
  Frame careless =
      careless_proof(a_token(7), meeting.hello, meeting.challenge, introduction(), "one channel");

  CHECK(!meeting.listener.on_proof(careless));
}

TEST_CASE("a handshake through another's TLS connection fails at both ends", "[T4]") {
  Meeting relayed{.listeners_channel = "proxy to us", .diallers_channel = "them to proxy"};
  Frame careless =
      careless_proof(a_token(), relayed.hello, relayed.challenge, introduction(), "them to proxy");

  CHECK(!relayed.proof);
  CHECK(!relayed.listener.on_proof(careless));
}

TEST_CASE("a recorded handshake is worth nothing the second time", "[T4]") {
  Meeting recorded;
  REQUIRE(recorded.proof);
  ListenerHandshake again("one channel");
  REQUIRE(again.on_hello(recorded.hello, a_token(), version));

  CHECK(!again.on_proof(*recorded.proof));
}

TEST_CASE("what the listener says proves nothing when it is sent back", "[T4]") {
  Meeting meeting;
  Frame mirrored = meeting.challenge;
  mirrored.type = Type::proof;

  CHECK(!meeting.listener.on_proof(mirrored));
  CHECK(!meeting.listener.on_proof(meeting.challenge));
}

TEST_CASE("nothing that was said can be changed on the way", "[T4]") {
  Meeting meeting;
  REQUIRE(meeting.proof);
  std::string nonce(32, 'n');
  std::vector<Frame> forged{
      changed(*meeting.proof, Key::url, "tcp://h:2"),
      changed(*meeting.proof, Key::host, "node8"),
      changed(*meeting.proof, Key::proof, std::string(32, '\0')),
      changed(*meeting.proof, Key::proof, ""),
      changed(*meeting.proof, Key::proof, meeting.proof->text(Key::proof).substr(0, 31)),
      Frame(*meeting.proof).with(Key::pid, 1),
      Frame(*meeting.proof).with(Key::proof, meeting.proof->text(Key::proof)),
      without_proof(*meeting.proof),
  };
  Frame of_another_rank = *meeting.proof;
  of_another_rank.rank = 1;
  forged.push_back(of_another_rank);
  Frame with_payload = *meeting.proof;
  with_payload.payload = make_payload("more");
  forged.push_back(with_payload);

  for (const Frame& frame : forged) CHECK(!meeting.listener.on_proof(frame));
  for (Frame challenge :
       {changed(meeting.challenge, Key::nonce, nonce), changed(meeting.challenge, Key::version, "1.2.4"),
        without_proof(meeting.challenge)}) {
    DiallerHandshake dialler(an_id(), a_token(), 0, "one channel");
    REQUIRE(dialler.hello(Role::agent, version));
    CHECK(!dialler.on_challenge(challenge, introduction()));
  }
  // And after all that the right one is still right.
  CHECK(meeting.listener.on_proof(*meeting.proof));
}

TEST_CASE("a listener that was given another HELLO than the dialler sent is not believed", "[T4]") {
  DiallerHandshake dialler(an_id(), a_token(), 0, "");
  Frame hello = *dialler.hello(Role::agent, version);
  ListenerHandshake listener("");
  Frame challenge = *listener.on_hello(changed(hello, Key::version, "9.9.9"), a_token(), version);

  CHECK(!dialler.on_challenge(challenge, introduction()));
}

TEST_CASE("a dialler answers one challenge", "[T4]") {
  Meeting meeting;
  REQUIRE(meeting.proof);

  CHECK(!meeting.dialler.on_challenge(meeting.challenge, introduction()));
}

TEST_CASE("a PROOF before any HELLO is refused", "[T4]") {
  Meeting meeting;

  CHECK(!ListenerHandshake("one channel").on_proof(*meeting.proof));
}

TEST_CASE("only a HELLO with an id and a nonce of the right lengths claims anything", "[T7]") {
  Frame good = hello_by_hand(Role::daemon, an_id(), 3, version);
  REQUIRE(ListenerHandshake::claim_of(good));
  CHECK(ListenerHandshake::claim_of(good)->rank == 3);
  CHECK(ListenerHandshake::claim_of(good)->id == an_id());

  Frame streamed = good;
  streamed.stream = 1;
  Frame loaded = good;
  loaded.payload = make_payload("x");
  Frame of_another_kind = good;
  of_another_kind.type = Type::join;
  std::vector<Frame> bad{changed(good, Key::credential, "short"),
                         changed(good, Key::credential, std::string(17, 'i')),
                         changed(good, Key::nonce, ""),
                         changed(good, Key::nonce, std::string(33, 'n')),
                         Frame(Type::hello),
                         streamed,
                         loaded,
                         of_another_kind};
  for (const Frame& frame : bad) CHECK(!ListenerHandshake::claim_of(frame));
}

TEST_CASE("known and unknown credentials are challenged alike", "[T2]") {
  Frame hello = hello_by_hand(Role::daemon, an_id(), 0, version);
  ListenerHandshake knows(""), does_not("");

  Frame known = *knows.on_hello(hello, a_token(), version);
  Frame unknown = *does_not.on_hello(hello, a_token(9), version);

  CHECK(encode_head(known).size() == encode_head(unknown).size());
  CHECK(known.attributes.size() == unknown.attributes.size());
}
