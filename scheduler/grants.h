// Which credentials there are, what each is good for, and what has become of it.
//
// A grant lets daemons come in at certain slots: one slot and one daemon for the
// command of launch_remote(), n slots and n ranks for a job. Each coming-in uses
// it up by one; who has come in may come back after a break, with a second
// credential that only its memory and ours hold. What is void or used up is kept
// for as long as the session lives, so that whoever proves to have it is told what
// has become of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/credential.h"
#include "wire/greeting.h"

namespace tenkai {

using GrantId = std::uint64_t;

class Grants {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  using Time = std::chrono::steady_clock::time_point;

  struct Terms {
    std::vector<std::size_t> slots;
    std::uint32_t ranks = 0;  // 0: not a job's
    std::uint32_t uses = 1;   // of each rank; 0: any number
    std::optional<WallTime> until = {};
    bool is_shown = true;  // by launch_remote(), to whoever asks for one for the slot
  };
  // A new grant with a token of its own.
  Result<GrantId> issue(Terms terms);
  // The same, with a token that another session has given out before.
  Result<GrantId> issue(Terms terms, const CredentialId& id, Secret token);

  // What goes to the daemons, without pin and URLs.
  Credential credential(GrantId grant) const;
  // The one that launch_remote() shows for a slot, while it is of any use.
  std::optional<GrantId> fresh_for(std::size_t slot) const;

  // Whether saisei() has made something worthless that was given out for the slot.
  bool was_voided(std::size_t slot) const { return voided_.count(slot) != 0; }

  // The token behind an id, also one that is good for nothing any more.
  std::optional<Secret> token_of(const CredentialId& id, std::uint32_t rank) const;

  // Lets in who has proved to have a credential, or says what has become of it.
  struct Admission {
    GrantId grant = 0;
    std::uint32_t rank = 0;
    bool is_back = false;       // after a break
    bool is_alone = false;      // there is no other with this grant and rank
    CredentialId resumption{};  // by which it may come back, and is known
    // The resumption of whoever came in before as this rank, and cannot come back any more.
    std::optional<CredentialId> replaces;
  };
  Result<Admission> admit(const Proven& proven, WallTime now);
  bool covers(GrantId grant, std::size_t slot) const;

  // Nobody has come in with this grant, and from now on nobody can.
  void revoke(GrantId grant);
  // saisei(): what was given out for the slot is good for it no longer.
  void void_slot(std::size_t slot);
  // The same where the daemon that is there stays: only what nobody has used.
  void void_unused(std::size_t slot);
  // Who came in with this will not come back.
  void forget(const CredentialId& resumption);
  // Or not after this time: it was given up, and may be alive all the same. The first
  // ones are forgotten where that are more than 4,096.
  static constexpr std::size_t max_given_up = 4096;
  void forget_at(const CredentialId& resumption, Time time);
  void forget_late(Time now);

 private:
  struct Grant {
    CredentialId id{};
    Secret token;
    Terms terms;
    std::map<std::uint32_t, std::uint32_t> used;  // by rank
    std::map<std::uint32_t, CredentialId> in;     // by rank: how it may come back
    bool is_void = false;
  };
  // How somebody may come back.
  struct Return {
    Secret token;
    GrantId grant;
    std::uint32_t rank;
  };

  std::string slots_of(const Grant& grant) const;

  GrantId last_ = 0;
  std::map<GrantId, Grant> grants_;
  std::map<CredentialId, GrantId> by_id_;
  std::map<CredentialId, Return> returns_;
  std::deque<std::pair<Time, CredentialId>> given_up_;  // oldest first
  std::set<std::size_t> voided_;
};

}  // namespace tenkai
