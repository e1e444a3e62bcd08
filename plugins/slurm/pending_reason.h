// Why a job waits, in Slurm's words, and what they mean to who waits for it: whether it
// passes by itself, and else what is to be done. docs/slurm.md shows the same table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenkai::slurm {

enum class Outlook {
  passes,    // by itself
  somebody,  // has to act, or others have to end: it may wait for long
  never      // as it is, it cannot start
};
std::string_view name_of(Outlook outlook);

struct PendingReason {
  std::string_view word;  // as squeue has it, with a blank for each '_'; '*' is any text
  Outlook outlook;
  std::string_view meaning;  // of "it waits because …"
  std::string_view advice;   // what to do; empty: nothing

  bool operator==(const PendingReason&) const = default;
};

// All that are known. The first that fits counts.
std::span<const PendingReason> pending_reasons();
// The one that squeue's %r names. Nothing is known of others, and nothing concluded.
const PendingReason* find_pending_reason(std::string_view reason);

// "PartitionDown, its partition is down; …". A reason that is not known stands alone.
std::string reason_in_words(std::string_view reason, const std::string& job);

}  // namespace tenkai::slurm
