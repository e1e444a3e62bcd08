// A descriptor that goes along with bytes through a local socket.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstring>
#include <string_view>

// As sendmsg().
inline ssize_t send_with_file(int socket, std::string_view bytes, int file) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(part), &file, sizeof file);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}
