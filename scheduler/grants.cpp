#include "scheduler/grants.h"

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"

namespace tenkai {
namespace {

// A session that prints a command a second for a year needs as many.
constexpr std::size_t max_grants = 1000000;

}  // namespace

Result<GrantId> Grants::issue(Terms terms) {
  CredentialId id{};
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) {
    return Error{"the system gives no random numbers for a credential"};
  }
  Result<Secret> token = Secret::random();
  if (!token) return token.error();
  return issue(std::move(terms), id, std::move(*token));
}

Result<GrantId> Grants::issue(Terms terms, const CredentialId& id, Secret token) {
  if (grants_.size() >= max_grants) return Error{"too many credentials have been made by this session"};
  GrantId number = ++last_;
  Grant grant;
  grant.id = id;
  grant.token = std::move(token);
  grant.terms = std::move(terms);
  grants_.emplace(number, std::move(grant));
  by_id_[id] = number;
  return number;
}

Credential Grants::credential(GrantId number) const {
  const Grant& grant = grants_.at(number);
  Credential credential;
  credential.id = grant.id;
  credential.token = grant.token.copy();
  credential.uses = grant.terms.uses;
  credential.ranks = grant.terms.ranks;
  if (grant.terms.until) {
    credential.not_after =
        static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(*grant.terms.until));
  }
  return credential;
}

std::optional<GrantId> Grants::fresh_for(std::size_t slot) const {
  for (auto entry = grants_.rbegin(); entry != grants_.rend(); ++entry) {
    const Grant& grant = entry->second;
    bool alone =
        grant.terms.is_shown && grant.terms.ranks == 0 && grant.terms.slots == std::vector<std::size_t>{slot};
    if (!alone) continue;
    bool fresh = !grant.is_void && (grant.terms.uses == 0 || grant.used.empty());
    // An older one is used up, or was void before this one was made.
    return fresh ? std::optional(entry->first) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Secret> Grants::token_of(const CredentialId& id, std::uint32_t rank) const {
  if (auto back = returns_.find(id); back != returns_.end()) return back->second.token.copy();
  auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  const Grant& grant = grants_.at(found->second);
  if (rank >= std::max<std::uint32_t>(grant.terms.ranks, 1)) return std::nullopt;
  return grant.terms.ranks == 0 ? grant.token.copy() : rank_token(grant.token, rank);
}

std::string Grants::slots_of(const Grant& grant) const {
  const auto& slots = grant.terms.slots;
  std::string text = "slot " + std::to_string(slots.front() + 1);
  return slots.size() == 1 ? text : text + " and " + counted(slots.size() - 1, "other");
}

Result<Grants::Admission> Grants::admit(const Proven& proven, WallTime now) {
  Admission admission;
  if (auto back = returns_.find(proven.id); back != returns_.end()) {
    // The same secret goes on: a break may come before WELCOME has arrived.
    admission.grant = back->second.grant;
    admission.rank = back->second.rank;
    admission.is_back = true;
    admission.resumption = proven.id;
    admission.is_alone = grants_.at(admission.grant).terms.uses != 0;
    if (grants_.at(admission.grant).is_void)
      return Error{"its slot has a new URL and a new credential, by saisei()"};
    std::erase_if(given_up_, [&](const auto& entry) { return entry.second == proven.id; });
    return admission;
  }
  auto found = by_id_.find(proven.id);
  if (found == by_id_.end()) return Error{"this credential is not known"};
  Grant& grant = grants_.at(found->second);
  std::string remedy = "; launch_remote() on the host makes a new command";
  if (grant.is_void)
    return Error{"this credential, for " + slots_of(grant) + ", was replaced by saisei()" + remedy};
  if (grant.terms.until && now >= *grant.terms.until) return Error{"this credential has expired" + remedy};
  std::uint32_t& used = grant.used[proven.rank];
  if (grant.terms.uses != 0 && used >= grant.terms.uses) {
    return Error{"this credential, for " + slots_of(grant) + ", has been used already: it is good for " +
                 (grant.terms.uses == 1 ? "one daemon" : counted(grant.terms.uses, "start")) + remedy};
  }
  ++used;
  admission.grant = found->second;
  admission.rank = proven.rank;
  admission.resumption = proven.resumption.id;
  // Only what is good for one at a time has somebody whom a newcomer replaces.
  admission.is_alone = grant.terms.uses != 0;
  if (auto before = grant.in.find(proven.rank); admission.is_alone && before != grant.in.end()) {
    admission.replaces = before->second;
    returns_.erase(before->second);
  }
  grant.in[proven.rank] = proven.resumption.id;
  returns_.emplace(proven.resumption.id,
                   Return{proven.resumption.token.copy(), admission.grant, admission.rank});
  return admission;
}

bool Grants::covers(GrantId number, std::size_t slot) const {
  auto found = grants_.find(number);
  if (found == grants_.end() || found->second.is_void) return false;
  const auto& slots = found->second.terms.slots;
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

void Grants::revoke(GrantId number) {
  auto found = grants_.find(number);
  if (found != grants_.end() && found->second.used.empty()) found->second.is_void = true;
}

void Grants::void_slot(std::size_t slot) {
  voided_.insert(slot);
  for (auto& [number, grant] : grants_) {
    auto& slots = grant.terms.slots;
    auto at = std::find(slots.begin(), slots.end(), slot);
    if (at == slots.end()) continue;
    // A job's others go on.
    if (slots.size() > 1) {
      slots.erase(at);
    } else {
      grant.is_void = true;
    }
  }
}

void Grants::void_unused(std::size_t slot) {
  std::optional<GrantId> fresh = fresh_for(slot);
  if (!fresh) return;
  voided_.insert(slot);
  grants_.at(*fresh).is_void = true;
}

void Grants::forget(const CredentialId& resumption) { returns_.erase(resumption); }

void Grants::forget_at(const CredentialId& resumption, Time time) {
  given_up_.emplace_back(time, resumption);
  if (given_up_.size() <= max_given_up) return;
  forget(given_up_.front().second);
  given_up_.pop_front();
}

void Grants::forget_late(Time now) {
  while (!given_up_.empty() && given_up_.front().first <= now) {
    forget(given_up_.front().second);
    given_up_.pop_front();
  }
}

}  // namespace tenkai
