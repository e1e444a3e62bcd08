#include "plugins/slurm/pending_reason.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

constexpr Outlook passes = Outlook::passes;
constexpr Outlook somebody = Outlook::somebody;
constexpr Outlook never = Outlook::never;

constexpr std::string_view smaller =
    "ask for less (slurm.array-chunk, slurm.cpus-per-task, slurm.mem, slurm.gpus-per-task, slurm.nodes)";
constexpr std::string_view shorter =
    "ask for less with slurm.time, or name another slurm.qos or slurm.partition";
constexpr std::string_view budget = "name another slurm.account or slurm.qos, or ask who gives out the time";
constexpr std::string_view release = "'scontrol release JOB' lets it go";
constexpr std::string_view nodes =
    "name another slurm.partition, ask for a shorter slurm.time, or ask the site when they are back";

constexpr std::array reasons{
    // Slurm has nothing against it.
    PendingReason{"Priority", passes, "jobs with a higher priority come before it", ""},
    PendingReason{"Resources", passes, "other jobs use what it asks for", ""},
    PendingReason{"WaitingForScheduling", passes, "Slurm has not looked at it yet", ""},
    PendingReason{"Sched*", passes, "Slurm has not looked at it yet", ""},
    PendingReason{"BeginTime", passes, "its time to begin has not come", ""},
    PendingReason{"Dependency", passes, "another job comes before it", ""},
    PendingReason{"Licenses", passes, "other jobs use the licenses that it asks for", ""},
    PendingReason{"Reservation", passes, "its reservation has not begun, or has no room", ""},
    PendingReason{"Cleaning", passes, "its last run is being cleared away", ""},
    PendingReason{"Prolog", passes, "the site's preparations for it run", ""},
    PendingReason{"BurstBufferResources", passes, "other jobs use the burst buffer", ""},
    PendingReason{"BurstBufferStageIn", passes, "its burst buffer is being filled", ""},
    PendingReason{"FedJobLock", passes, "the clusters agree on where it runs", ""},
    PendingReason{"PowerNotAvail", passes, "there is not enough power for it", ""},
    PendingReason{"PowerReserved", passes, "power is kept for others", ""},
    PendingReason{"JobArrayTaskLimit", passes, "as many of its array run as may at a time", ""},
    PendingReason{"AssociationJobLimit", passes, "as many of your jobs run as may at a time", ""},
    PendingReason{"AssocMaxJobsLimit", passes, "as many of your jobs run as may at a time", ""},
    PendingReason{"QOSJobLimit", passes, "as many jobs of its QOS run as may at a time", ""},
    PendingReason{"QOSMaxJobsPerUserLimit", passes, "as many of your jobs run as may at a time", ""},
    PendingReason{"MaxJobsPerAccount", passes, "as many jobs of its account run as may at a time", ""},
    PendingReason{"AssocGrpJobsLimit", passes, "as many jobs of its account run as may at a time", ""},
    PendingReason{"QOSGrpJobsLimit", passes, "as many jobs of its QOS run as may at a time", ""},

    // As it is, it cannot start.
    PendingReason{"PartitionTimeLimit", never, "it asks for more time than its partition allows", shorter},
    PendingReason{"*MaxWallDurationPerJob*", never, "it asks for more time than its account or QOS allows",
                  shorter},
    PendingReason{"*Minutes*PerJob*", never, "size and time together are more than one job may have",
                  "ask for less of either: slurm.time, slurm.array-chunk, slurm.cpus-per-task"},
    PendingReason{"*Max*PerJob*", never, "it asks for more than one job may have", smaller},
    PendingReason{"*Max*PerNode", never, "it asks for more than one job may have on a node", smaller},
    PendingReason{"MaxMemPerLimit", never, "it asks for more memory than a node, or processor, may give",
                  "ask for less with slurm.mem or slurm.mem-per-cpu"},
    PendingReason{"QOSMin*", never, "it asks for less than its QOS is for", "name another slurm.qos"},
    PendingReason{"AccountNotAllowed", never, "its account may not use its partition",
                  "name another slurm.account or slurm.partition"},
    PendingReason{"QOSNotAllowed", never, "its QOS may not be used in its partition",
                  "name another slurm.qos or slurm.partition"},
    PendingReason{"BadConstraints", never, "no node is as it asks for",
                  "look at slurm.options and at the size of a job"},
    PendingReason{"DependencyNeverSatisfied", never, "the job that it waits for has ended in another way",
                  "look at slurm.options"},
    PendingReason{"DeadLine", never, "it cannot end before its deadline", "look at slurm.options"},

    // Somebody has to act, or others to end; where it alone asks for more than all may have,
    // it waits for ever, and Slurm does not tell the one from the other.
    PendingReason{"PartitionDown", somebody, "its partition is down", "name another slurm.partition"},
    PendingReason{"PartitionInactive", somebody, "its partition starts no jobs",
                  "name another slurm.partition"},
    PendingReason{"PartitionNodeLimit", somebody,
                  "it asks for more nodes than its partition gives a job, or has now",
                  "ask for fewer slurm.nodes"},
    PendingReason{"PartitionConfig", somebody, "its partition has not the nodes that it asks for",
                  "name another slurm.partition, or ask for less"},
    PendingReason{"InvalidAccount", somebody, "Slurm does not know its account for you now",
                  "name another slurm.account, or ask the site"},
    PendingReason{"InvalidQOS", somebody, "Slurm does not know its QOS for you now",
                  "name another slurm.qos, or ask the site"},
    PendingReason{"JobHeldUser", somebody, "it is held by you", release},
    PendingReason{"JobHeldAdmin", somebody, "it is held by the site", "ask the site why"},
    PendingReason{"JobHoldMaxRequeue", somebody, "it was put back into the queue too often, and is held",
                  release},
    PendingReason{"launch failed requeued held", somebody, "it could not be started on its node, and is held",
                  "'scontrol release JOB' lets it try again; the site can see why it failed"},
    PendingReason{"JobLaunchFailure", somebody, "it could not be started on its node",
                  "the site can see why it failed"},
    PendingReason{"user env retrieval failed requeued held", somebody,
                  "your environment could not be made on its node, and it is held", release},
    PendingReason{"job requeued in held state", somebody, "it was put back into the queue, and is held",
                  release},
    PendingReason{"ReservationDeleted", somebody, "its reservation is gone, and it is held",
                  "take the reservation out of slurm.options"},
    PendingReason{"ReqNodeNotAvail*", somebody, "nodes that it needs are down, or kept for something else",
                  nodes},
    PendingReason{"Nodes required for job are DOWN*", somebody,
                  "the nodes that it could run on are down, or kept for others", nodes},
    PendingReason{"NodeDown", somebody, "a node that it needs is down", nodes},
    PendingReason{"FrontEndDown", somebody, "no front end runs", "ask the site"},
    PendingReason{"BurstBufferOperation", somebody, "its burst buffer has failed", "look at slurm.options"},
    PendingReason{"SystemFailure", somebody, "something of Slurm's has failed", "ask the site"},
    PendingReason{"QOSUsageThreshold", somebody, "its QOS asks for more than you have left", budget},
    PendingReason{"AssociationTimeLimit", somebody, "its account has used its time", budget},
    PendingReason{"QOSTimeLimit", somebody, "its QOS has used its time", budget},
    PendingReason{"*GrpWall*", somebody, "its account or QOS has used its time", budget},
    PendingReason{"*Grp*RunMin*", somebody, "what runs of its account or QOS will use the time that is left",
                  "it starts when others have ended; a shorter slurm.time starts sooner"},
    PendingReason{"*Grp*Minutes*", somebody, "its account or QOS has used its time", budget},
    PendingReason{"*Grp*", somebody, "the jobs of its account or QOS use what all of them may have",
                  "it starts when others have ended, unless it alone asks for more: ask for less then"},
    PendingReason{"*PerUser*", somebody, "your jobs use what all of them may have",
                  "it starts when others have ended, unless it alone asks for more: ask for less then"},
    PendingReason{"Max*PerAccount*", somebody, "the jobs of its account use what all of them may have",
                  "it starts when others have ended, unless it alone asks for more: ask for less then"},
    PendingReason{"AssociationResourceLimit", somebody, "its account uses what it may have",
                  "it starts when others have ended, unless it alone asks for more: ask for less then"},
    PendingReason{"QOSResourceLimit", somebody, "its QOS uses what it may have",
                  "it starts when others have ended, unless it alone asks for more: ask for less then"},
    PendingReason{"AccountingPolicy", somebody, "a limit of your account, or of a QOS, is in the way",
                  "'sacctmgr show assoc' and 'sacctmgr show qos' have them"},
};

// '*' is any text. There are few of them, and short texts.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at)
    if (fits(rest, text.substr(at))) return true;
  return false;
}

}  // namespace

std::string_view name_of(Outlook outlook) {
  constexpr std::array<std::string_view, 3> names{"passes", "somebody", "never"};
  return names[static_cast<std::size_t>(outlook)];
}

std::span<const PendingReason> pending_reasons() { return reasons; }

const PendingReason* find_pending_reason(std::string_view reason) {
  constexpr std::size_t max_reason = 300;
  std::string text(trim(reason.substr(0, max_reason)));
  std::replace(text.begin(), text.end(), '_', ' ');
  auto found = std::find_if(reasons.begin(), reasons.end(),
                            [&text](const PendingReason& each) { return fits(each.word, text); });
  return found == reasons.end() ? nullptr : &*found;
}

std::string reason_in_words(std::string_view reason, const std::string& job) {
  std::string words = printable(reason, 200);
  const PendingReason* known = find_pending_reason(reason);
  if (known == nullptr) return words;
  words += ", " + std::string(known->meaning);
  if (known->advice.empty()) return words;
  std::string advice(known->advice);
  if (std::size_t at = advice.find("JOB"); at != advice.npos) advice.replace(at, 3, job);
  return words + "; " + advice;
}

}  // namespace tenkai::slurm
