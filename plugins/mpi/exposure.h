// Whether a launch by MPI would open ports to other machines. Open MPI listens at every
// address, in each of its processes, and no setting of its own keeps it from that: so
// it is only run where there is no other address, or where somebody has accepted it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tenkai::mpi {

struct Interface {
  std::string name;
  bool loopback = false;
  bool up = false;
  bool has_address = false;

  bool operator==(const Interface&) const = default;
};

// The interfaces of this machine, or of the network namespace that we are in.
std::vector<Interface> own_interfaces();

// Those that others can reach us by, now or as soon as they are up.
std::vector<std::string> open_to_others(const std::vector<Interface>& interfaces);

// `listen`: what `mpi.listen` says, "loopback" or "all".
Result<Done> may_listen(const std::string& listen, const std::vector<Interface>& interfaces);

}  // namespace tenkai::mpi
