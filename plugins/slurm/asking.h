// What is to be asked about one job, and whom.
//
//   from ╲ when  suspect()    missing()             answered()  lose()  seen()
//   quiet        suspected    suspected, accounts               lost
//   suspected                 accounts                          lost
//   accounts                                        as before   lost
//   lost                                                                as before
//
// As before: suspected where there was a suspicion, else quiet. Where nothing stands, nothing
// changes. Slurm is asked about those that are suspected, and about those that do not come; its
// database about those in `accounts`. About one that was told as gone nobody is asked: it may
// come all the same, and is then seen. settle() takes a suspicion back; what the database is
// to be asked it is asked all the same.
#pragma once

#include <cstdint>
#include <optional>

#include "plugins/slurm/watch_plan.h"

namespace tenkai::slurm {

class Asking {
 public:
  enum class State : std::uint8_t { quiet, suspected, accounts, lost };

  State state() const { return state_; }
  // From Slurm's answers, in a row.
  int absences() const { return absences_; }
  // Slurm forgets a job that has ended, and may not know yet one that was submitted.
  bool is_absent() const;

  void suspect(SlurmTime now);
  // The reason is gone: Slurm, or the job itself, has told.
  void settle();
  // It was not in an answer to what was asked at `asked`; `was_known`: Slurm had it once.
  void missing(SlurmTime asked, bool was_known);
  void seen();
  // It was seen to begin.
  void begun() { absences_ = 0; }
  void ask_accounts();
  // Whether the database was to be asked. Now it was.
  bool answered();
  void lose();

  // When Slurm is to be asked about it. `waits_since`: of one that is queued; `has_begun`: it
  // was queued again.
  std::optional<SlurmTime> due(SlurmTime asked, std::optional<SlurmTime> waits_since, bool has_begun) const;
  // Whether it was suspected already.
  bool has_reason() const { return since_.has_value(); }

 private:
  void go_back() { state_ = since_ ? State::suspected : State::quiet; }

  State state_ = State::quiet;
  std::optional<SlurmTime> since_;  // of the suspicion
  int absences_ = 0;
};

}  // namespace tenkai::slurm
