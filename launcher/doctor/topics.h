// What there is to be asked of other programs, for a profile or for this machine as it is. They look
// around, and so are not pure; what they make of the answers is.
#pragma once

#include <optional>
#include <string>

#include "launcher/doctor/question.h"
#include "launcher/profile/deployment.h"
#include "launcher/profile/profiles.h"

namespace tenkai::doctor {

// What is looked at. Pointers are null where no profile is, or it is not good.
struct Patient {
  const Profile* profile = nullptr;
  const Deployment* deployment = nullptr;
  std::string program;     // our own path
  bool may_launch = true;  // false: a fault somewhere in the files keeps every profile from that

  std::string launcher() const { return deployment == nullptr ? "" : deployment->plugin; }
  // How many daemons there may be.
  std::size_t daemons() const;
};

Topic r_topic(const Patient& patient);
// Nothing is asked where a profile does not need Slurm, or there is none and no profile.
Topic slurm_topic(const Patient& patient);
// Where daemons connect, and the machines that SSH reaches: nothing is asked where the profile has no
// such thing.
Topic address_topic(const Patient& patient);
Topic ssh_topic(const Patient& patient);
// The program, the plugin.
Checks look_at_program(const Patient& patient);
// Templates, log folders, what a profile says.
Checks look_at_profile(const Patient& patient);
Checks look_at_the_machine(const Patient& patient);

}  // namespace tenkai::doctor
