#include "launcher/doctor/doctor.h"

#include <optional>
#include <utility>
#include <vector>

#include "launcher/doctor/probe.h"
#include "launcher/doctor/profile_checks.h"
#include "launcher/doctor/topics.h"
#include "launcher/profile/find.h"
#include "process/own_path.h"

namespace tenkai::doctor {
namespace {

// All questions of all topics at once.
Checks ask_topics(const std::vector<Topic>& topics) {
  std::vector<Question> questions;
  for (const Topic& each : topics)
    questions.insert(questions.end(), each.questions.begin(), each.questions.end());
  std::vector<Answer> answers = ask_all(questions);
  Checks checks;
  auto next = answers.begin();
  for (const Topic& each : topics) {
    auto end = next + static_cast<long>(each.questions.size());
    if (each.judge) add(checks, each.judge(std::vector<Answer>(next, end)));
    next = end;
  }
  return checks;
}

}  // namespace

Checks examine(const Visit& visit) {
  FoundProfiles found = find_profiles();
  Checks checks = judge_profile_files(found, visit.profile);
  Patient patient;
  patient.program = own_program();
  auto named = found.profiles.all.find(visit.profile);
  std::optional<Deployment> deployment;
  // Half of a site's policy is none: with a problem anywhere no profile can be launched. What the
  // named one needs besides can be told all the same.
  patient.may_launch = found.problems.empty();
  if (named != found.profiles.all.end() && is_faultless(found, named->second)) {
    patient.profile = &named->second;
    Result<Deployment> deployed = deploy(named->second, found.profiles.caps, address_of_interface);
    if (deployed) deployment = *deployed;
    else
      checks.push_back(wrong("profile.address", "profile " + visit.profile, deployed.error().message,
                             "ip -brief address shows the interfaces of this machine"));
  }
  if (deployment) patient.deployment = &*deployment;
  add(checks, look_at_program(patient));
  add(checks, look_at_profile(patient));
  add(checks,
      ask_topics({r_topic(patient), address_topic(patient), slurm_topic(patient), ssh_topic(patient)}));
  add(checks, look_at_the_machine(patient));
  if (visit.probe) add(checks, probe(patient, visit.wait));
  return checks;
}

}  // namespace tenkai::doctor
