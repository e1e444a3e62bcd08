// A TCP proxy on loopback that a test can cut, make silent or slow, or let change bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tenkai::test {

class Proxy {
 public:
  // Forwards to 127.0.0.1:`port`.
  explicit Proxy(std::uint16_t port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint16_t port() const { return port_; }
  // Nothing passes any more, in either direction, and no connection ends.
  void stall() { stalled_ = true; }
  void resume() { stalled_ = false; }
  // How many bytes have come since then, and wait here.
  std::size_t held() const { return held_; }
  // What comes from now on takes so long, each way.
  void delay(std::chrono::milliseconds time) { delay_ = time.count(); }
  // One byte of whatever passes is another one.
  void corrupt(bool does) { corrupts_ = does; }
  // Ends all connections there are.
  void cut() { cut_ = true; }
  // New connections are accepted and left alone.
  int connections() const { return connections_; }

 private:
  void run();

  std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stalled_{false};
  std::atomic<std::size_t> held_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> corrupts_{false};
  std::atomic<std::int64_t> delay_{0};  // milliseconds
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

// "tcp://127.0.0.1:PORT" → PORT, and the same URL with another port.
std::uint16_t port_of(const std::string& url);
std::string with_port(const std::string& url, std::uint16_t port);

}  // namespace tenkai::test
