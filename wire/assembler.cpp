#include "wire/assembler.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <string_view>
#include <utility>

namespace tenkai {

// A frame whose payload is all there.
Result<std::optional<Frame>> Assembler::finish(Frame whole) {
  if (whole.type == Type::block) {
    std::vector<Frame> completed = kept_.on_block(whole.number(Key::number), std::move(whole.payload));
    std::move(completed.begin(), completed.end(), std::back_inserter(completed_));
    return std::optional<Frame>();
  }
  if (whole.find(Key::kept) != nullptr) return kept_.on_frame(std::move(whole));
  return std::optional<Frame>(std::move(whole));
}

Result<std::optional<Frame>> Assembler::open_stream(Frame frame) {
  if (frame.announced == 0) return Error{"a stream announces no bytes"};
  if (streams_.size() >= max_streams) return Error{"too many streams are open at once"};
  if (frame.announced > budget_ - announced_) {
    return Error{"the streams announce more than " + std::to_string(budget_) + " bytes together"};
  }
  if (streams_.count(frame.stream) != 0) {
    return Error{"stream " + std::to_string(frame.stream) + " is opened twice"};
  }
  Stream stream;
  try {
    stream.body = std::make_unique<Bytes>(static_cast<std::size_t>(frame.announced));
  } catch (const std::bad_alloc&) {
    return Error{"there is no memory for a payload of " + std::to_string(frame.announced) + " bytes"};
  }
  announced_ += frame.announced;
  std::uint32_t id = frame.stream;
  stream.head = std::move(frame);
  streams_.emplace(id, std::move(stream));
  return std::optional<Frame>();
}

Result<std::optional<Frame>> Assembler::take(Frame frame) {
  if (frame.type == Type::block) {
    std::uint64_t size = frame.stream != 0 ? frame.announced : size_of(frame.payload);
    std::uint64_t number = frame.number(Key::number);
    Result<Done> done = size == 0 ? kept_.on_forget(number) : kept_.on_announced(number, size);
    if (!done) return done.error();
    if (size == 0) return std::optional<Frame>();
  }
  if (frame.type != Type::segment)
    return frame.stream == 0 ? finish(std::move(frame)) : open_stream(std::move(frame));

  auto found = streams_.find(frame.stream);
  if (found == streams_.end()) return Error{"a segment belongs to no open stream"};
  Stream& stream = found->second;
  std::string_view bytes = view_of(frame.payload);
  if (bytes.empty() || bytes.size() > stream.body->size() - stream.filled) {
    return Error{"a segment does not fit its stream"};
  }
  std::memcpy(stream.body->data() + stream.filled, bytes.data(), bytes.size());
  stream.filled += bytes.size();
  if (stream.filled < stream.body->size()) return std::optional<Frame>();

  Frame whole = std::move(stream.head);
  announced_ -= whole.announced;
  whole.payload = std::shared_ptr<const Bytes>(std::move(stream.body));
  whole.stream = 0;
  whole.announced = 0;
  streams_.erase(found);
  return finish(std::move(whole));
}

}  // namespace tenkai
