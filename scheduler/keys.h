// What a dispatcher shows and gives out on the network: the identity of its TLS
// ports, and the grants of its slots.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/url.h"
#include "scheduler/grants.h"
#include "scheduler/launcher_interface.h"
#include "scheduler/setup.h"
#include "wire/tls.h"

namespace tenkai {

class Keys {
 public:
  // Makes, or reads, what `setup` asks for, where `urls` need any of it. What the
  // user should know about it is added to `notes`.
  Result<Done> prepare(const Setup& setup, const std::vector<Url>& urls, std::vector<std::string>& notes);

  std::shared_ptr<const TlsIdentity> identity() const { return identity_; }
  // The certificate as PEM; empty where nothing is encrypted.
  std::string certificate() const { return identity_ ? identity_->certificate_pem() : std::string(); }

  Grants& grants() { return grants_; }
  const Grants& grants() const { return grants_; }
  // With a kept credential, daemons may come of which this session knows nothing.
  Result<Done> expect(std::size_t slots);
  // The line for one daemon at a slot: the one that was given out last if nobody
  // has used it, else a new one. `repeatable`: it may be used any number of times.
  Result<std::string> line_for(std::size_t slot, const Url& url, bool repeatable);
  // The line for a job: `ranks` of them, each good for `uses` starts, at these slots. Without ranks:
  // for `uses` daemons at one slot. It is given to nobody else.
  Result<Issued> line_for_job(const std::vector<std::size_t>& slots, const std::vector<Url>& urls,
                              std::uint32_t ranks, std::uint32_t uses);

 private:
  Result<Done> make_kept(const std::string& path, const std::vector<std::string>& hosts);
  Result<Done> read_kept(const std::string& path, const std::vector<std::string>& hosts);
  Result<Done> read_given(const Setup& setup, std::vector<std::string>& notes);
  Result<GrantId> issue_for(std::size_t slot, bool repeatable);
  Result<std::string> line(GrantId grant, const std::vector<std::string>& urls) const;

  std::shared_ptr<const TlsIdentity> identity_;
  std::optional<Secret> kept_;  // from which the tokens of all sessions are derived
  Grants grants_;
};

}  // namespace tenkai
