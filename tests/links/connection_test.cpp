#include "actors/links/frame_reader.hpp"
#include "actors/links/unix_socket.hpp"
#include "schemas/link_codec.hpp"
#include "tests/links/samples.hpp"
#include "tests/links/support.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace ebb;
using namespace ebb::links_test;

namespace {

const link_options quick{50ms, 300ms, std::size_t{8} << 20, 4};
// Where this machine has to copy much meanwhile, maybe under a sanitizer.
const link_options patient{50ms, 2000ms, std::size_t{8} << 20, 4};

link_message text_of(std::size_t bytes, std::uint64_t number = 0) {
  return log_line{"uid", log_level::info, static_cast<micros>(number), std::string(bytes, 'x'), {}};
}

std::uint64_t number_of(const link_message& x) {
  return static_cast<std::uint64_t>(std::get<log_line>(x).time);
}

socket_handle blocking(socket_handle x) {
  ::fcntl(x.get(), F_SETFL, ::fcntl(x.get(), F_GETFL) & ~O_NONBLOCK);
  return x;
}

// A peer that only does what it is told.
class raw_peer {
public:
  explicit raw_peer(const server_end& to) : socket_(blocking(take(connect_to(to.path())))) {}

  void say(const std::string& bytes) const {
    BOOST_REQUIRE(try_to_say(bytes));
  }

  void say(const link_message& x) const {
    say(frame_of(x));
  }

  // For other threads: Boost.Test's macros are for one.
  [[nodiscard]] bool try_to_say(const std::string& bytes) const {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
           == static_cast<ssize_t>(bytes.size());
  }

  static std::string frame_of(const link_message& x) {
    const auto body = encode(x);
    const auto head = frame_head(static_cast<std::uint32_t>(body.size()));
    return std::string(reinterpret_cast<const char*>(head.data()), head.size())
           + std::string(body.as<char>(), body.size());
  }

  // Whether the other side has closed.
  [[nodiscard]] bool is_closed() const {
    char byte = 0;
    while (true) {
      const auto got = ::recv(socket_.get(), &byte, 1, 0);
      if (got <= 0)
        return got == 0 || errno == ECONNRESET;
    }
  }

  void hang_up() {
    socket_ = socket_handle{};
  }

private:
  socket_handle socket_;
};

std::string frame_head_of(std::uint32_t length) {
  const auto head = frame_head(length);
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_connections)

BOOST_AUTO_TEST_CASE(every_message_goes_both_ways) {
  server_end server({},
                    [](const link_pointer& link, const link_message& x) { take(link->send(x)); });
  client_end client(server);
  std::vector<link_message> sent;
  for (auto& x : sample_messages())
    if (!std::holds_alternative<heartbeat>(x))
      sent.push_back(std::move(x));
  for (const auto& x : sent)
    take(client.link->send(x));
  const auto there = server.seen.messages(sent.size());
  const auto back = client.seen.messages(sent.size());
  BOOST_REQUIRE(there.size() == sent.size());
  BOOST_REQUIRE(back.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    BOOST_TEST(is_same(sent[i], there[i]));
    BOOST_TEST(is_same(sent[i], back[i]));
  }
  BOOST_TEST(client.link->peer().pid == ::getpid());
}

BOOST_AUTO_TEST_CASE(order_holds_for_each_of_many_senders) {
  server_end server;
  client_end client(server);
  constexpr std::uint64_t count = 3000;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < count; ++i)
        while (!client.link->send(text_of(i % 1000, t << 32 | i)))
          std::this_thread::sleep_for(1ms);
    });
  for (auto& x : threads)
    x.join();
  std::vector<std::uint64_t> next(4, 0);
  const auto all = server.seen.messages(4 * count);
  BOOST_TEST(all.size() == 4 * count);
  for (const auto& x : all)
    BOOST_REQUIRE(next[number_of(x) >> 32]++ == (number_of(x) & UINT32_MAX));
}

BOOST_AUTO_TEST_CASE(a_message_of_the_largest_size_passes_and_a_larger_one_does_not) {
  server_end server(patient);
  client_end client(server, patient);
  take(client.link->send(text_of(link_message_max - 1024, 1)));
  const auto larger = client.link->send(text_of(link_message_max, 2));
  BOOST_REQUIRE(!larger);
  BOOST_TEST((larger.error().code == ec::unsupported));
  take(client.link->send(text_of(1, 3)));
  const auto got = server.seen.messages(2);
  BOOST_TEST(std::get<log_line>(got[0]).text.size() == link_message_max - 1024);
  BOOST_TEST(number_of(got[1]) == 3U);
}

BOOST_AUTO_TEST_CASE(rest_keeps_a_link_alive) {
  server_end server(quick);
  client_end client(server, quick);
  std::this_thread::sleep_for(4 * quick.silence);
  BOOST_TEST(client.link->open());
  take(client.link->send(text_of(1, 1)));
  BOOST_TEST(server.seen.messages(1).size() == 1U); // heartbeats are not among them
}

BOOST_AUTO_TEST_CASE(what_waits_is_bounded) {
  server_end server(patient);
  raw_peer peer(server);
  const auto link = server.seen.links()[0];
  std::size_t sent = 0;
  std::optional<error> full;
  while (!full && sent < 100) {
    if (auto x = link->send(text_of(std::size_t{1} << 20)); !x)
      full = x.error();
    else
      ++sent;
    BOOST_TEST(link->waiting() <= patient.queue_bytes);
  }
  BOOST_REQUIRE(full.has_value());
  BOOST_TEST((full->code == ec::resource));
  BOOST_TEST(sent >= 7U);
  BOOST_TEST(sent <= 10U);
  // The peer says nothing either.
  const auto why = server.seen.closed()[0];
  BOOST_TEST((why.code == ec::io));
  BOOST_TEST(why.message.find("nothing was heard from process ") == 0U);
  BOOST_TEST(!link->open());
  BOOST_TEST(link->waiting() == 0U);
  const auto late = link->send(text_of(1));
  BOOST_REQUIRE(!late);
  BOOST_TEST((late.error().code == ec::io));
}

BOOST_AUTO_TEST_CASE(heartbeats_go_before_what_waits) {
  server_end server(patient);
  raw_peer peer(server);
  const auto link = server.seen.links()[0];
  // More than the socket takes.
  for (std::uint64_t i = 0; i < 4; ++i)
    take(link->send(text_of(std::size_t{1} << 20, i)));
  const auto alive = std::jthread([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && peer.try_to_say(raw_peer::frame_of(heartbeat{1}))) {
      std::this_thread::sleep_for(50ms);
    }
  });
  std::this_thread::sleep_for(3 * patient.heartbeat);
  BOOST_TEST(link->open());
  // 4 messages and one heartbeat, however long it was.
  BOOST_TEST(link->waiting() < (std::size_t{4} << 20) + 4096);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_messages_close_the_link) {
  const auto sound = encode(topic_moved{"uid"});
  std::string other_version(sound.as<char>(), sound.size());
  other_version[16] = 9;
  const std::vector<std::tuple<std::string, ec, std::string>> cases{
      {"GET / HTTP/1.1\r\n\r\n", ec::corrupt, "the other side of the link sent a frame of "},
      {frame_head_of(UINT32_MAX), ec::corrupt, "a frame of 4294967295 bytes, more than 20971520"},
      {frame_head_of(0), ec::corrupt, "a frame of 0 bytes, which is no message"},
      {frame_head_of(16) + std::string(16, '\0'), ec::corrupt, "bytes that are no message"},
      {frame_head_of(16) + std::string(16, '\xff'), ec::corrupt, "bytes that are no message"},
      {frame_head_of(static_cast<std::uint32_t>(sound.size())) + other_version, ec::unsupported,
       "speaks version 9 of its messages"}};
  for (const auto& [bytes, code, message] : cases) {
    server_end server;
    raw_peer peer(server);
    peer.say(topic_moved{"first"});
    peer.say(bytes);
    const auto why = server.seen.closed()[0];
    BOOST_TEST((why.code == code), to_string(why));
    BOOST_TEST(why.message.find(message) != std::string::npos, to_string(why));
    BOOST_TEST(!why.hint.empty());
    BOOST_TEST(peer.is_closed());
    BOOST_TEST(server.seen.messages().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_message_cut_by_the_end_is_not_delivered) {
  server_end server;
  raw_peer peer(server);
  peer.say(topic_moved{"whole"});
  peer.say(frame_head_of(4096) + "half");
  peer.hang_up();
  BOOST_TEST((server.seen.closed()[0].code == ec::io));
  BOOST_TEST(server.seen.messages().size() == 1U);
}

BOOST_AUTO_TEST_CASE(last_words_are_heard_when_nothing_can_be_written_any_more) {
  server_end server;
  for (std::uint64_t i = 0; i < 20; ++i) {
    raw_peer peer(server);
    const auto link = server.seen.links(i + 1)[i];
    for (int k = 0; k < 50; ++k)
      peer.say(topic_moved{"last"});
    peer.hang_up();
    static_cast<void>(link->send(text_of(1000)));
    static_cast<void>(link->send(text_of(1000)));
    server.seen.closed(i + 1);
    BOOST_TEST(server.seen.messages().size() == 50 * (i + 1));
  }
  BOOST_TEST(!server.seen.after_close());
}

BOOST_AUTO_TEST_CASE(a_frozen_process_is_noticed) {
  server_end server(quick);
  const auto child = ::fork();
  if (child == 0) {
    auto loop = link_loop::start(quick);
    auto link = connect_link(**loop, server.path(), {});
    static_cast<void>((*link)->send(topic_moved{"here"}));
    for (;;)
      ::pause();
  }
  server.seen.messages(1);
  std::this_thread::sleep_for(2 * quick.silence);
  BOOST_TEST(server.seen.links()[0]->open());
  const auto frozen = std::chrono::steady_clock::now();
  ::kill(child, SIGSTOP);
  const auto why = server.seen.closed()[0];
  const auto took = std::chrono::steady_clock::now() - frozen;
  BOOST_TEST((why.code == ec::io));
  BOOST_TEST(why.message
             == "nothing was heard from process " + std::to_string(child) + " for 300 ms");
  BOOST_TEST((took >= quick.silence / 2));
  BOOST_TEST((took < 10 * quick.silence));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_was_stopped_does_not_blame_the_other) {
  server_end server(patient);
  const auto child = ::fork();
  if (child == 0) {
    auto loop = link_loop::start(quick);
    auto link = connect_link(**loop, server.path(), {});
    static_cast<void>((*link)->send(topic_moved{"here"}));
    for (;;)
      ::pause();
  }
  server.seen.messages(1);
  ::kill(child, SIGSTOP);
  std::this_thread::sleep_for(3 * quick.silence);
  ::kill(child, SIGCONT);
  std::this_thread::sleep_for(2 * quick.silence);
  BOOST_TEST(server.seen.links()[0]->open());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(a_killed_process_is_noticed_at_once) {
  server_end server; // silence of 2 s
  const auto child = ::fork();
  if (child == 0) {
    auto loop = link_loop::start();
    auto link = connect_link(**loop, server.path(), {});
    for (;;)
      ::pause();
  }
  server.seen.links();
  const auto killed = std::chrono::steady_clock::now();
  ::kill(child, SIGKILL);
  BOOST_TEST(server.seen.closed()[0].message == "the other side has closed the link");
  BOOST_TEST((std::chrono::steady_clock::now() - killed < 1s));
  ::waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(closing_is_told_once_on_both_sides) {
  server_end server;
  {
    client_end client(server);
    server.seen.links();
    client.link->close(make_error(ec::conflict, "enough"));
    client.link->close(make_error(ec::conflict, "again"));
    BOOST_TEST(client.seen.closed()[0].message == "enough");
    BOOST_TEST(server.seen.closed()[0].message == "the other side has closed the link");
    client.link->finish();
    client.link->close(make_error(ec::conflict, "again"));
  }
  recorder seen;
  {
    auto loop = take(link_loop::start());
    const auto link = take(connect_link(*loop, server.path(), seen.handlers()));
    server.seen.links(2);
    loop.reset();
    BOOST_TEST(!link->open());
    BOOST_TEST((seen.closed()[0].code == ec::cancelled));
    BOOST_TEST(!link->send(text_of(1)));
    link->close(make_error(ec::conflict, "again"));
  }
  server.seen.closed(2);
  std::this_thread::sleep_for(20ms);
  BOOST_TEST(server.seen.closed().size() == 2U);
  BOOST_TEST(seen.closed().size() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_delivered_after_a_handler_has_closed) {
  server_end server({}, [](const link_pointer& link, const link_message& x) {
    if (number_of(x) == 9)
      link->close(make_error(ec::conflict, "nine"));
  });
  client_end client(server);
  for (std::uint64_t i = 0; i < 100; ++i)
    static_cast<void>(client.link->send(text_of(10, i)));
  BOOST_TEST(server.seen.closed()[0].message == "nine");
  BOOST_TEST(server.seen.messages().size() == 10U);
  client.seen.closed();
}

BOOST_AUTO_TEST_CASE(finishing_sends_what_waits) {
  server_end server;
  client_end client(server);
  for (std::uint64_t i = 0; i < 20; ++i)
    take(client.link->send(text_of(std::size_t{1} << 20, i)));
  client.link->finish();
  BOOST_TEST(!client.link->send(text_of(1)));
  server.seen.closed();
  BOOST_TEST(server.seen.messages().size() == 20U);
  BOOST_TEST((client.seen.closed()[0].code == ec::cancelled));
}

BOOST_AUTO_TEST_CASE(finishing_ends_though_nobody_reads) {
  server_end server(quick);
  raw_peer peer(server);
  const auto link = server.seen.links()[0];
  take(link->send(text_of(std::size_t{4} << 20)));
  link->finish();
  const auto alive = std::jthread([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && peer.try_to_say(raw_peer::frame_of(heartbeat{1})))
      std::this_thread::sleep_for(10ms);
  });
  BOOST_TEST((server.seen.closed()[0].code == ec::cancelled));
}

BOOST_AUTO_TEST_CASE(connections_are_limited) {
  server_end server(quick); // 4
  std::vector<std::unique_ptr<client_end>> clients;
  for (int i = 0; i < 4; ++i)
    clients.push_back(std::make_unique<client_end>(server, quick));
  server.seen.links(4);
  client_end fifth(server, quick);
  fifth.seen.closed();
  BOOST_TEST(server.seen.links().size() == 4U);
  clients.pop_back();
  server.seen.closed();
  client_end sixth(server, quick);
  BOOST_TEST(server.seen.links(5).size() == 5U);
  BOOST_TEST(sixth.link->open());
}

BOOST_AUTO_TEST_CASE(paths) {
  storage_test::temporary_folder folder;
  auto loop = take(link_loop::start());
  const auto listen = [&](const std::string& path) {
    return link_server::listen(*loop, path, [](const link_pointer&) { return link_handlers{}; });
  };
  for (const auto& path : {std::string(), std::string(108, 'x'), std::string("a\0b", 3)}) {
    const auto made = listen(path);
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == ec::invalid_argument));
    BOOST_TEST(!made.error().hint.empty());
    const auto link = connect_link(*loop, path, {});
    BOOST_REQUIRE(!link);
    BOOST_TEST((link.error().code == ec::invalid_argument));
  }
  const auto path = folder.path() + "/links";
  auto nobody = connect_link(*loop, path, {});
  BOOST_REQUIRE(!nobody);
  BOOST_TEST((nobody.error().code == ec::not_found));
  BOOST_TEST(nobody.error().place.file == path);

  std::ofstream(path) << "a file";
  auto occupied = listen(path);
  BOOST_REQUIRE(!occupied);
  BOOST_TEST((occupied.error().code == ec::conflict));
  std::ifstream kept(path);
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(kept), {}) == "a file");
  ::unlink(path.c_str());

  // As a dead process leaves it.
  { const auto dead = take(listen_at(path)); }
  nobody = connect_link(*loop, path, {});
  BOOST_REQUIRE(!nobody);
  BOOST_TEST((nobody.error().code == ec::not_found));
  {
    const auto server = take(listen(path));

    struct stat found {};

    BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777U) == 0600U);
    auto second = listen(path);
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == ec::conflict));
    BOOST_TEST(static_cast<bool>(connect_link(*loop, path, {})));
  }
  BOOST_TEST(::access(path.c_str(), F_OK) != 0);
  BOOST_TEST((listen(folder.path() + "/none/links").error().code == ec::io));
}

BOOST_AUTO_TEST_CASE(sockets_are_not_inherited) {
  server_end server;
  client_end client(server);
  server.seen.links();
  // What a started program has open besides the usual.
  const auto listing = "ls -l /proc/self/fd | grep -c socket: > " + server.path() + ".count";
  static_cast<void>(std::system(listing.c_str()));
  std::ifstream file(server.path() + ".count");
  int inherited = -1;
  file >> inherited;

  struct stat input {};

  const bool others = ::fstat(0, &input) == 0 && S_ISSOCK(input.st_mode);
  if (!others)
    BOOST_TEST(inherited == 0);
}

BOOST_AUTO_TEST_CASE(processes_of_other_users_are_turned_away,
                     *boost::unit_test::precondition([](boost::unit_test::test_unit_id) {
                       return boost::test_tools::assertion_result(::geteuid() == 0);
                     })) {
  server_end server;
  const auto path = server.path();
  const auto folder = path.substr(0, path.rfind('/'));
  BOOST_REQUIRE(::chmod(folder.c_str(), 0755) == 0);
  constexpr uid_t nobody = 65'534;
  // 1: could not connect; 2: was turned away; 3: was let in.
  const auto try_as_nobody = [&] {
    const auto child = ::fork();
    if (child == 0) {
      if (::setuid(nobody) != 0)
        ::_exit(9);
      auto made = connect_to(path);
      if (!made)
        ::_exit(1);
      const auto socket = blocking(*std::move(made));
      char byte = 0;
      ::_exit(::recv(socket.get(), &byte, 1, 0) == 0 ? 2 : 3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  BOOST_TEST(try_as_nobody() == 1);
  BOOST_REQUIRE(::chmod(path.c_str(), 0666) == 0);
  BOOST_TEST(try_as_nobody() == 2);
  BOOST_TEST(server.seen.links(0).empty());
}

BOOST_AUTO_TEST_SUITE_END()
