#include "scheduler/grants.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

const Grants::WallTime noon = std::chrono::system_clock::time_point(std::chrono::hours(480000));

Secret random_token() { return std::move(*Secret::random()); }

// Somebody who has proved to have a credential, and what it got to come back with.
Proven somebody(const CredentialId& id, std::uint32_t rank = 0) {
  Proven proven;
  proven.id = id;
  proven.rank = rank;
  Secret token = random_token();
  std::copy_n(token.data(), proven.resumption.id.size(), proven.resumption.id.begin());
  proven.resumption.token = std::move(token);
  return proven;
}

// A dispatcher's grants, with one of these terms.
struct Granted {
  Grants grants;
  GrantId grant;
  CredentialId id;

  explicit Granted(Grants::Terms terms) {
    grant = *grants.issue(std::move(terms));
    id = grants.credential(grant).id;
  }
  Result<Grants::Admission> come(std::uint32_t rank = 0, Grants::WallTime now = noon) {
    return grants.admit(somebody(id, rank), now);
  }
  Result<Grants::Admission> come_back(const CredentialId& resumption) {
    return grants.admit(somebody(resumption), noon);
  }
};

Grants::Terms for_slot(std::size_t slot, std::uint32_t uses = 1) {
  Grants::Terms terms;
  terms.slots = {slot};
  terms.uses = uses;
  return terms;
}

Grants::Terms for_job(std::vector<std::size_t> slots, std::uint32_t ranks, std::uint32_t uses) {
  Grants::Terms terms;
  terms.slots = std::move(slots);
  terms.ranks = ranks;
  terms.uses = uses;
  return terms;
}

// Whether it is a refusal with these words in it.
bool says(const Result<Grants::Admission>& admission, std::string_view words) {
  if (!admission && admission.error().message.find(words) != std::string::npos) return true;
  UNSCOPED_INFO((admission ? "admitted" : admission.error().message));
  return false;
}

}  // namespace

TEST_CASE("a credential for one daemon lets one in, and tells the second why not", "[T5]") {
  Granted granted(for_slot(0));

  CHECK(granted.come());
  CHECK(says(granted.come(), "for slot 1, has been used already: it is good for one daemon"));
}

TEST_CASE("who was given up may come back until its time is over", "[T14]") {
  Granted granted(for_slot(0, 0));
  const Grants::Time start{};
  CredentialId first = granted.come()->resumption;
  CredentialId second = granted.come()->resumption;
  granted.grants.forget_at(first, start + 60s);
  granted.grants.forget_at(second, start + 70s);

  granted.grants.forget_late(start + 59s);
  CHECK(granted.come_back(first));
  granted.grants.forget_late(start + 69s);
  CHECK(granted.come_back(first));
  granted.grants.forget_late(start + 70s);
  CHECK_FALSE(granted.come_back(second));
  CHECK(granted.come_back(first));
}

TEST_CASE("of those who were given up the first are forgotten where they are too many", "[T14]") {
  Granted granted(for_slot(0, 0));
  std::vector<CredentialId> all;
  for (std::size_t i = 0; i <= Grants::max_given_up; ++i) {
    all.push_back(granted.come()->resumption);
    granted.grants.forget_at(all.back(), Grants::Time{} + 60s);
  }

  CHECK_FALSE(granted.come_back(all.front()));
  CHECK(granted.come_back(all[1]));
  CHECK(granted.come_back(all.back()));
}

TEST_CASE("saisei() is for those, too, who were given up", "[T14]") {
  Granted granted(for_slot(0));
  CredentialId gone = granted.come()->resumption;
  granted.grants.forget_at(gone, Grants::Time{} + 60s);

  granted.grants.void_slot(0);

  CHECK(says(granted.come_back(gone), "its slot has a new URL"));
}

TEST_CASE("who has come in may come back, any number of times", "[T5]") {
  Granted granted(for_slot(0));
  Result<Grants::Admission> first = granted.come();
  REQUIRE(first);

  for (int i = 0; i < 3; ++i) {
    Result<Grants::Admission> again = granted.come_back(first->resumption);
    REQUIRE(again);
    CHECK(again->is_back);
    CHECK(again->resumption == first->resumption);
    CHECK(again->grant == granted.grant);
  }
}

TEST_CASE("who is gone for good does not come back", "[T5]") {
  Granted granted(for_slot(0));
  Result<Grants::Admission> first = granted.come();
  granted.grants.forget(first->resumption);

  CHECK(says(granted.come_back(first->resumption), "not known"));
  CHECK(!granted.grants.token_of(first->resumption, 0));
}

TEST_CASE("a credential whose slot was regenerated lets nobody in any more, nor back", "[T5]") {
  Granted granted(for_slot(2, 2));
  Result<Grants::Admission> first = granted.come();

  granted.grants.void_slot(2);

  CHECK(says(granted.come(), "for slot 3, was replaced by saisei()"));
  CHECK(says(granted.come_back(first->resumption), "saisei()"));
  CHECK(!granted.grants.covers(granted.grant, 2));
}

TEST_CASE("who has a void or used credential can still prove it, to be told what became of it", "[T5]") {
  Granted granted(for_slot(0));
  REQUIRE(granted.come());
  granted.grants.void_slot(0);

  CHECK(granted.grants.token_of(granted.id, 0));
}

TEST_CASE("a new credential for a regenerated slot works at once", "[T5]") {
  Granted granted(for_slot(0));
  granted.grants.void_slot(0);

  GrantId fresh = *granted.grants.issue(for_slot(0));

  CHECK(granted.grants.fresh_for(0) == fresh);
  CHECK(granted.grants.admit(somebody(granted.grants.credential(fresh).id), noon));
  CHECK(granted.grants.covers(fresh, 0));
}

TEST_CASE("a credential is good for its slot alone", "[T4]") {
  Granted granted(for_slot(1));

  CHECK(granted.grants.covers(granted.grant, 1));
  CHECK(!granted.grants.covers(granted.grant, 0));
  CHECK(!granted.grants.covers(granted.grant + 1, 1));
}

TEST_CASE("each rank of a job comes in as often as it may be started, and no other rank", "[T20]") {
  Granted granted(for_job({0, 1, 2}, 3, 2));

  for (std::uint32_t rank = 0; rank < 3; ++rank) {
    CHECK(granted.come(rank));
    CHECK(granted.come(rank));
    CHECK(says(granted.come(rank), "good for 2 starts"));
  }
  CHECK(!granted.grants.token_of(granted.id, 3));
  CHECK(!granted.grants.token_of(granted.id, 0xFFFFFFFF));
}

TEST_CASE("the ranks of a job have tokens of their own", "[T20]") {
  Granted granted(for_job({0, 1}, 2, 1));
  Secret token = granted.grants.credential(granted.grant).token.copy();

  CHECK(*granted.grants.token_of(granted.id, 0) == rank_token(token, 0));
  CHECK(*granted.grants.token_of(granted.id, 1) == rank_token(token, 1));
  CHECK(!(*granted.grants.token_of(granted.id, 0) == token));
}

TEST_CASE("a rank that was started anew replaces the one before, which cannot come back", "[T20]") {
  Granted granted(for_job({0, 1}, 2, 2));
  Result<Grants::Admission> first = granted.come(1);
  Result<Grants::Admission> other = granted.come(0);

  Result<Grants::Admission> requeued = granted.come(1);

  REQUIRE(requeued);
  CHECK(requeued->replaces == first->resumption);
  CHECK(!granted.come_back(first->resumption));
  CHECK(granted.come_back(other->resumption));
}

TEST_CASE("a job goes on where one of its slots was regenerated, without that slot", "[T5]") {
  Granted granted(for_job({0, 1}, 2, 1));

  granted.grants.void_slot(0);

  CHECK(granted.come(1));
  CHECK(!granted.grants.covers(granted.grant, 0));
  CHECK(granted.grants.covers(granted.grant, 1));
}

TEST_CASE("a credential without an end to its uses lets many in, who do not replace each other", "[T5]") {
  Granted granted(for_slot(0, 0));
  Result<Grants::Admission> one = granted.come();
  Result<Grants::Admission> other = granted.come();

  CHECK(!other->replaces);
  CHECK(granted.come_back(one->resumption));
  CHECK(granted.grants.fresh_for(0) == granted.grant);
}

TEST_CASE("an expired credential lets nobody in, and who is in may still come back", "[T20]") {
  Grants::Terms terms = for_slot(0, 3);
  terms.until = noon + 1h;
  Granted granted(terms);
  Result<Grants::Admission> early = granted.come(0, noon);
  REQUIRE(early);

  CHECK(granted.come(0, noon + 59min));
  CHECK(says(granted.come(0, noon + 1h), "expired"));
  CHECK(says(granted.come(0, noon + 24h), "expired"));
  // A clock that is set back makes it good again, and it has lost no use by that.
  CHECK(granted.come(0, noon - 24h));
  CHECK(granted.grants.credential(granted.grant).not_after ==
        static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(noon + 1h)));
}

TEST_CASE("the one who is in comes back after its credential has expired", "[T20]") {
  Grants::Terms terms = for_slot(0);
  terms.until = noon + 1h;
  Granted granted(terms);
  Result<Grants::Admission> in = granted.come();

  CHECK(granted.grants.admit(somebody(in->resumption), noon + 48h));
}

TEST_CASE("the credential that launch_remote() shows is the unused one, or a new one is due", "[T5]") {
  Granted granted(for_slot(0));
  CHECK(granted.grants.fresh_for(0) == granted.grant);
  CHECK(!granted.grants.fresh_for(1));

  REQUIRE(granted.come());
  CHECK(!granted.grants.fresh_for(0));

  GrantId next = *granted.grants.issue(for_slot(0));
  CHECK(granted.grants.fresh_for(0) == next);
  // That of a job is shown to nobody else.
  Granted job(for_job({0}, 1, 1));
  CHECK(!job.grants.fresh_for(0));
}

TEST_CASE("a credential that somebody was given alone is not shown to others", "[T5]") {
  Granted granted(for_slot(0, 0));
  Grants::Terms terms = for_slot(0);
  terms.is_shown = false;

  GrantId alone = *granted.grants.issue(terms);

  CHECK(granted.grants.fresh_for(0) == granted.grant);
  CHECK(granted.grants.admit(somebody(granted.grants.credential(alone).id), noon));
  CHECK(says(granted.grants.admit(somebody(granted.grants.credential(alone).id), noon), "used already"));
}

TEST_CASE("nobody comes in with a credential that was never given out", "[T2]") {
  Granted granted(for_slot(0));
  CredentialId unknown{};

  CHECK(!granted.grants.token_of(unknown, 0));
  CHECK(says(granted.grants.admit(somebody(unknown), noon), "not known"));
}

TEST_CASE("a way back that was tried in vain is forgotten in time all the same", "[T5]") {
  Granted it(for_slot(0));
  CredentialId way_back = it.come()->resumption;
  it.grants.forget_at(way_back, Grants::Time(1min));
  it.grants.void_slot(0);
  REQUIRE_FALSE(it.come_back(way_back));

  it.grants.forget_late(Grants::Time(2min));

  CHECK_FALSE(it.grants.token_of(way_back, 0));
}
