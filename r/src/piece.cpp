#include "piece.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "crossing.h"

namespace tenkai {

namespace {

// Results of so many bytes are not kept back any longer.
constexpr std::size_t enough = 512 * 1024;

}  // namespace

Piece::Piece(const Frame& task, double most) : parcel_(task.payload), first_(task.task), most_(most) {
  std::optional<Parcel> parcel = Parcel::in(view_of(parcel_));
  if (!parcel) throw std::runtime_error("elements of a map came in no parcel");
  count_ = parcel->count();
  if (task.find(Key::timeout_ms) != nullptr)
    end_ = Clock::now() + std::chrono::milliseconds(task.number(Key::timeout_ms));
}

Payload Piece::element() const {
  Parcel parcel = *Parcel::trusted(view_of(parcel_));
  return std::make_shared<const Bytes>(
      Bytes::part_of(parcel_, parcel.begin_of(done_), parcel.length_of(done_)));
}

void Piece::keep(Buffer& value, bool failed) {
  failed_ = failed_ || failed;
  ++done_;
  results_.append(value);
  table_.end_value(results_.size());
  value.clear();
}

// One element is done in any case: whoever is asked for a piece and answers none of it counts as
// broken, and on a busy machine the time may be over before R has come to the first.
bool Piece::is_over() const {
  if (interrupted_ || done_ >= count_) return true;
  bool is_late = end_ && Clock::now() >= *end_;
  return done_ > 0 && (static_cast<double>(done_) >= most_ || results_.size() >= enough || is_late);
}

Buffer& Piece::results() {
  if (table_.count() > 0)
    table_.write([this](const char* bytes, std::size_t size) { results_.append(bytes, size); });
  return results_;
}

}  // namespace tenkai
