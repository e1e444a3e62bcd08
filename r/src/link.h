// The session's link to a dispatcher: tasks go out, answers come in.
//
// An answer stays bytes until R looks at it. A task is known here from submit()
// until it is answered and its mirai has been read or collected; meanwhile it
// counts against the memory that the dispatcher allows this session. When the
// link ends, whatever is not answered has an answer at once: 7 if it was closed
// on purpose, 19 if the dispatcher died.
//
// After a fork the child has a copy of the link. It must not touch the stream,
// which is still the parent's: for the child the link is closed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "answer.h"
#include "base/frame.h"
#include "base/random_stream.h"
#include "buffer.h"
#include "crossing.h"
#include "filed_vectors.h"
#include "map_answers.h"
#include "saying.h"
#include "stream.h"

namespace tenkai {

class Link {
 public:
  // `words`: a file with what the dispatcher writes to standard error, or -1.
  Link(int fd, pid_t dispatcher, int words);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Which of the links of this session.
  std::uint64_t number() const { return number_; }
  bool is_usable() const;
  // True in a process that inherited this link by fork().
  bool is_foreign() const;
  int fd() const { return stream_.fd(); }
  pid_t dispatcher() const { return dispatcher_; }

  // The next of WELCOME, READY or REFUSED; nothing when the link ended or the
  // time is over. Interruptible.
  std::optional<Frame> await_control(std::chrono::milliseconds limit);
  void welcome(std::uint64_t memory_limit);
  void send(const Frame& frame);

  std::uint64_t next_id() { return ++last_id_; }
  // For all daemons, and kept by the dispatcher for those that come later. check_kept()
  // throws where so much cannot be: they would not be what the user asked for.
  void check_kept(std::uint64_t size) const;
  // Its values are the answers to Key::count tasks from that of the frame on.
  void everywhere(const Frame& frame, Buffer& payload);
  // Whether a task of this size fits, without waiting.
  bool has_room_for(std::size_t bytes) const;
  // Waits, interruptibly and taking answers in, until so much fits as needed() says then (true), or
  // until there is something to tell (false).
  template <class Needed>
  bool wait_for_memory(Needed&& needed) {
    while (!has_room_for(needed())) {
      if (has_notes()) return false;
      wait_a_little();
      check_interrupts();
    }
    return true;
  }
  // A map: its first task, whose number and those that follow are its elements'.
  std::uint64_t begin_map(Frame frame, std::uint64_t count, Buffer& shared);
  // `sizes`: of each of the elements.
  void send_elements(const Frame& frame, Buffer& parcel, const std::vector<std::uint64_t>& sizes);
  // Null where no map has such an element, or nobody has a use for it any more.
  MapAnswers* map_with(std::uint64_t element);
  const MapAnswers* map_with(std::uint64_t element) const {
    return const_cast<Link*>(this)->map_with(element);
  }
  // Those that have no answer.
  void cancel_elements(std::uint64_t first, std::uint64_t count);
  // Until something has come (true), or there is something to tell (false); interruptible.
  bool wait_for_news();
  // Waits while the socket is full; when that is interrupted the task is
  // cancelled. Its large vectors are among those `filed` until it is answered.
  void submit(const Frame& frame, Buffer& payload, FiledVectors& filed);
  void send(const Frame& frame, Buffer& payload);
  // How much more of the memory a task with this payload takes.
  std::size_t memory_for(Buffer& payload) const;
  // The same of what elements share; others that use the same files make no difference.
  static std::size_t memory_for_map(Buffer& shared);

  // Null while there is none. Valid until the next call of any kind.
  const Answer* answer_to(std::uint64_t task);
  // Whether an answer may still come that somebody wants.
  bool is_pending(std::uint64_t task) const;
  // Until there is an answer (true), or something to tell, or the time is over (false);
  // interruptible.
  bool wait_for(std::uint64_t task, std::optional<std::chrono::milliseconds> limit);
  // Waits at most a tenth of a second until something comes on one of them, and takes
  // it in.
  static void wait_a_little(const std::vector<Link*>& links);
  // Another number when any task may not be pending any more.
  std::uint64_t news() const { return news_; }
  // An answer that no dispatcher has sent.
  void put_answer(std::uint64_t task, Answer answer) { tasks_[task].answer = std::move(answer); }
  // Its mirai has its value, or is gone; an answer that comes is dropped.
  void forget(std::uint64_t task);
  void cancel(std::uint64_t task);

  // From now on take_ripe() names this task once nothing more comes for it: it is answered,
  // forgotten, or the link has ended.
  void watch(std::uint64_t task);
  // Reads what has come, without waiting, and names such tasks, each once.
  std::vector<std::uint64_t> take_ripe();
  // A descriptor that is readable while another call has taken in what take_ripe() would name;
  // -1 before the first watch().
  int bell() const { return bell_; }

  // Sends a request and waits for the reply; interruptible.
  Answer ask(Frame request, std::chrono::milliseconds limit);

  // Reads what has come, without waiting.
  void take_in();
  // One wait of at most a tenth of a second that takes in what comes.
  void wait_a_little();
  // What the user should be told, once. `launches`: those that it is about, or "".
  struct Note {
    std::string sentence;
    std::string launches;
  };
  std::vector<Note> take_notes() { return std::exchange(notes_, {}); }
  bool has_notes() const { return !notes_.empty() || !sayings_.empty(); }

  // It is told when this task has said all.
  void expect_sayings(std::uint64_t task) { tasks_[task].is_heard = true; }
  std::optional<Saying> take_saying() { return sayings_.take(); }

  // From now on each task has random numbers of its own, from this stream and those after it.
  void seed_tasks(const RandomStream& stream) { stream_of_tasks_ = stream; }
  // The first of so many streams that nobody else gets; nothing where tasks have none.
  std::optional<RandomStream> take_streams(std::uint64_t count);
  // The one that nobody has taken yet.
  const std::optional<RandomStream>& stream_of_tasks() const { return stream_of_tasks_; }

  // From now on answers are let in only if they are nothing but data.
  void make_safe() { is_safe_ = true; }
  bool is_safe() const { return is_safe_; }

  // How the dispatcher ended, as a sentence.
  std::string obituary();

  // What this session calls a task of its own; no other task has the same name.
  std::string name_of(std::uint64_t task) const;

  // Ends the link on purpose.
  void close(ByeKind kind);

 private:
  struct Task {
    std::size_t bytes = 0;
    bool wanted = true;
    bool is_heard = false;
    std::optional<Answer> answer;
    // Where its large vectors are, until it is answered: files that others may use, too.
    std::vector<std::shared_ptr<const Bytes>> files;
  };

  const Answer& last_word();
  void hold(Task& task, std::shared_ptr<const Bytes> file);
  void let_go(Task& task);
  void let_all_go_at_end();
  void push_out();
  void on_frame(Frame&& frame);
  void on_resolved(Frame&& frame);
  void ripen(std::uint64_t task);
  void ripen(std::uint64_t first, std::uint64_t count);
  void ripen_all_at_end();
  void end_sayings();
  // Also of one that nobody has any more, while its elements run.
  MapAnswers* any_map_with(std::uint64_t element);
  void on_elements_resolved(Frame&& frame);
  void leave_map(std::uint64_t element);
  void free_shared(MapAnswers& map);

  inline static std::uint64_t made_ = 0;
  std::uint64_t number_ = ++made_;
  Stream stream_;
  unsigned generation_;
  pid_t dispatcher_;
  int words_;
  bool closed_on_purpose_ = false;
  bool buried_ = false;  // its exit status has been asked for
  bool is_safe_ = false;
  std::optional<RandomStream> stream_of_tasks_;
  std::uint64_t last_id_ = 0;
  std::uint64_t news_ = 0;
  std::uint64_t memory_limit_ = UINT64_MAX;
  std::uint64_t in_flight_ = 0;                          // bytes of tasks that are not answered
  std::unordered_map<const Bytes*, std::size_t> users_;  // files: how many of those tasks use them
  std::uint64_t shared_ = 0;                             // bytes that the elements of maps share
  std::uint64_t kept_ = 0;                               // bytes of everywhere()
  std::unordered_map<std::uint64_t, Task> tasks_;
  std::map<std::uint64_t, MapAnswers> maps_;  // by their first element
  std::optional<Answer> of_element_;          // what answer_to() has returned
  std::unordered_map<std::uint64_t, std::optional<Answer>> requests_;
  std::optional<Frame> control_;
  std::vector<Note> notes_;
  Sayings sayings_;
  bool all_is_said_ = false;  // no more comes
  std::chrono::steady_clock::duration last_wait_{};
  std::set<std::uint64_t> watched_;
  std::vector<std::uint64_t> ripe_;
  int bell_ = -1;
  std::optional<Answer> last_word_;  // the answer to everything, after the end
};

}  // namespace tenkai
