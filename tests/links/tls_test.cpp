#include "actors/links/certificate_authority.hpp"
#include "actors/links/tcp_socket.hpp"
#include "tests/links/samples.hpp"
#include "tests/links/support.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace ebb;
using namespace ebb::links_test;

namespace {

namespace fs = std::filesystem;

const link_options quick{50ms, 300ms, std::size_t{64} << 20, 4};

micros wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Certificates of one installation, and a server with them.
class installation {
public:
  explicit installation(const link_options& options = {}, server_end::also_function also = {}) {
    take(link_identity::make(folder()));
    loop_ = take(link_loop::start(options));
    server_ = take(link_server::listen(*loop_, {"127.0.0.1", 0}, identity(link_side::control),
                                       [this, also = std::move(also)](const link_pointer& x) {
                                         seen.accepted(x);
                                         return seen.handlers(also);
                                       }));
  }

  [[nodiscard]] std::string folder() const {
    return folder_.path() + "/certificates";
  }

  [[nodiscard]] std::shared_ptr<const link_identity> identity(link_side side) const {
    return take(link_identity::load(folder(), side));
  }

  [[nodiscard]] link_place place() const {
    return {"127.0.0.1", server_->port()};
  }

  recorder seen;

private:
  storage_test::temporary_folder folder_;
  std::unique_ptr<link_loop> loop_;
  std::unique_ptr<link_server> server_;
};

class tls_client {
public:
  tls_client(const link_place& place, std::shared_ptr<const link_identity> identity,
             const link_options& options = {})
      : loop_(take(link_loop::start(options))),
        link(take(connect_link(*loop_, place, std::move(identity), seen.handlers()))) {}

  recorder seen;

private:
  std::unique_ptr<link_loop> loop_;

public:
  link_pointer link;
};

} // namespace

BOOST_AUTO_TEST_SUITE(links_tls)

BOOST_AUTO_TEST_CASE(every_message_goes_both_ways) {
  installation control(
      {}, [](const link_pointer& link, const link_message& x) { take(link->send(x)); });
  tls_client worker(control.place(), control.identity(link_side::worker));
  std::vector<link_message> sent;
  for (auto& x : sample_messages())
    if (!std::holds_alternative<heartbeat>(x))
      sent.push_back(std::move(x));
  sent.push_back(log_line{"uid", log_level::info, 0, std::string(std::size_t{18} << 20, 'x'), {}});
  for (const auto& x : sent)
    take(worker.link->send(x));
  const auto back = worker.seen.messages(sent.size());
  BOOST_REQUIRE(back.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i)
    BOOST_TEST(is_same(sent[i], back[i]));
  BOOST_TEST(worker.link->peer().name
             == "the process at 127.0.0.1:" + std::to_string(control.place().port));
}

BOOST_AUTO_TEST_CASE(many_senders_and_heartbeats_between) {
  installation control(quick, [](const link_pointer& link, const link_message& x) {
    while (!link->send(x) && link->open())
      std::this_thread::sleep_for(1ms);
  });
  tls_client worker(control.place(), control.identity(link_side::worker), quick);
  constexpr std::uint64_t count = 400;
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < count; ++i) {
        const log_line x{"uid",
                         log_level::info,
                         static_cast<micros>(t << 32 | i),
                         std::string(i * 97 % 40'000, 'x'),
                         {}};
        while (!worker.link->send(x))
          std::this_thread::sleep_for(1ms);
      }
    });
  threads.clear();
  std::vector<std::uint64_t> next(3, 0);
  for (const auto& x : worker.seen.messages(3 * count)) {
    const auto number = static_cast<std::uint64_t>(std::get<log_line>(x).time);
    BOOST_REQUIRE(next[number >> 32]++ == (number & UINT32_MAX));
  }
  std::this_thread::sleep_for(3 * quick.silence);
  BOOST_TEST(worker.link->open());
}

BOOST_AUTO_TEST_CASE(closing_and_finishing) {
  installation control;
  tls_client worker(control.place(), control.identity(link_side::worker));
  for (std::uint64_t i = 0; i < 20; ++i)
    take(worker.link->send(
        log_line{"uid", log_level::info, 0, std::string(std::size_t{1} << 20, 'x'), {}}));
  worker.link->finish();
  BOOST_TEST((worker.seen.closed()[0].code == ec::cancelled));
  BOOST_TEST(control.seen.closed()[0].message == "the other side has closed the link");
  BOOST_TEST(control.seen.messages().size() == 20U);
}

BOOST_AUTO_TEST_CASE(certificates_are_made_once) {
  storage_test::temporary_folder place;
  const auto folder = place.path() + "/links";
  take(link_identity::make(folder));

  struct stat found {};

  BOOST_REQUIRE(::stat(folder.c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777U) == 0700U);
  std::map<std::string, std::string> files;
  for (const auto* name : {"ca", "control", "worker"})
    for (const auto* kind : {".pem", ".key"}) {
      const auto path = folder + "/" + name + kind;
      BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
      BOOST_TEST((found.st_mode & 0777U) == 0600U);
      files[std::string(name) + kind] = text_of(path);
    }
  take(link_identity::make(folder));
  for (const auto& [name, text] : files)
    BOOST_TEST(text_of(folder + "/" + name) == text);
  // As a crash may leave it.
  fs::remove(folder + "/worker.pem");
  take(link_identity::make(folder));
  BOOST_TEST(text_of(folder + "/worker.key") != files["worker.key"]);
  BOOST_TEST(text_of(folder + "/control.pem") == files["control.pem"]);
  BOOST_TEST(text_of(folder + "/ca.pem") == files["ca.pem"]);
  take(link_identity::load(folder, link_side::worker));
  fs::remove(folder + "/worker.pem");
  fs::remove(folder + "/ca.key");
  const auto lost = link_identity::make(folder);
  BOOST_REQUIRE(!lost);
  BOOST_TEST((lost.error().code == ec::conflict));
  BOOST_TEST(!lost.error().hint.empty());
  const auto missing = link_identity::load(folder, link_side::worker);
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ec::invalid_argument));
  BOOST_TEST(missing.error().place.file == folder + "/worker.pem");
  fs::copy_file(folder + "/control.pem", folder + "/worker.pem");
  BOOST_TEST((link_identity::load(folder, link_side::worker).error().place.file
              == folder + "/worker.key"));
  BOOST_TEST(
      (link_identity::load("/none", link_side::worker).error().place.file == "/none/ca.pem"));
  BOOST_TEST((link_identity::make("/none/at/all").error().code == ec::io));
}

BOOST_AUTO_TEST_CASE(a_worker_with_a_certificate_of_its_own) {
  installation x;
  const auto authority = take(certificate_authority::load(x.folder()));
  const link_credential whose{"worker-7", "default", "1f2e", 3, 0};
  const auto now = wall_clock();
  const auto made = take(authority->issue(whose, now));
  BOOST_TEST(made.authority == text_of(x.folder() + "/ca.pem"));
  BOOST_TEST(made.credential.ends / micros_per_second
             == (now + micros_per_day) / micros_per_second);
  const auto own = take(made.open());
  BOOST_TEST((own->side() == link_side::worker));
  BOOST_TEST((own->credential() == made.credential));
  tls_client client(x.place(), own);
  take(client.link->send(topic_moved{"uid"}));
  x.seen.messages(1);
  BOOST_TEST((x.seen.links()[0]->shown() == made.credential));
  // The control process's names no worker, nor does one that workers of a machine share.
  BOOST_TEST(client.link->shown().worker.empty());
  BOOST_TEST(x.identity(link_side::worker)->credential().worker.empty());
  // Each has a key of its own.
  const auto again = take(authority->issue(whose, now));
  BOOST_TEST(again.key != made.key);
  BOOST_TEST(again.certificate != made.certificate);
  BOOST_TEST(
      (authority->issue({"worker,DNS:x", "", "", 0, 0}, now).error().code == ec::invalid_argument));
  BOOST_TEST((authority->issue({}, now).error().code == ec::invalid_argument));
  BOOST_TEST(!certificate_authority::load("/none"));
  BOOST_TEST((issued_identity{made.authority, made.certificate, again.key, {}}.open().error().code
              == ec::invalid_argument));
  BOOST_TEST((issued_identity{made.authority, "x", made.key, {}}.open().error().code
              == ec::invalid_argument));
}

// The clock that makes certificates is another one than the clock that looks at them.
BOOST_AUTO_TEST_CASE(clocks_that_differ) {
  installation x(quick);
  const auto authority = take(certificate_authority::load(x.folder()));
  constexpr micros hour = 3600 * micros_per_second;
  const auto issued = [&](micros off) {
    return take(take(authority->issue({"worker-1", {}, {}, 0, 0}, wall_clock() + off)).open());
  };
  std::size_t heard = 0;
  for (const auto off : {micros{0}, hour, -hour, -23 * hour}) {
    const tls_client client(x.place(), issued(off));
    take(client.link->send(topic_moved{"uid"}));
    x.seen.messages(++heard);
  }
  x.seen.closed(heard);
  const auto refused = [&](micros off) {
    tls_client client(x.place(), issued(off));
    client.seen.closed();
    return x.seen.closed(++heard).back().message;
  };
  const auto early = refused(3 * hour);
  BOOST_TEST(early.find("not yet valid") != std::string::npos, early);
  const auto late = refused(-25 * hour);
  BOOST_TEST(late.find("has expired") != std::string::npos, late);
}

BOOST_AUTO_TEST_CASE(what_a_certificate_says) {
  const link_credential bound{"worker-7", "team-a", "1f2e", 18446744073709551615ULL, 0};
  BOOST_TEST(uri_of(bound) == "ebb://worker-7/team-a/1f2e/18446744073709551615");
  BOOST_TEST((parse_credential(uri_of(bound)) == bound));
  const link_credential unbound{"worker-7", {}, {}, 0, 0};
  BOOST_TEST(uri_of(unbound) == "ebb://worker-7");
  BOOST_TEST((parse_credential("ebb://worker-7") == unbound));
  for (const auto* wrong :
       {"", "ebb://", "ebb://a/b", "ebb://a/b/c", "ebb://a/b/c/d", "ebb://a/b/c/1/",
        "ebb://a/b/c/1/2", "ebb://a/b/c/-1", "ebb://a/b/c/18446744073709551616", "ebb://a b",
        "ebb:///b/c/1", "https://a", "ebb://a//c/1", "ebb://a/b/c/1x"})
    BOOST_TEST(!parse_credential(wrong), wrong);
  BOOST_TEST(uri_of({"a/b", {}, {}, 0, 0}).empty());
  BOOST_TEST(uri_of({"a", "", "uid", 1, 0}).empty());
  const link_credential third{"worker-7", "default", "uid", 3, 0};
  BOOST_TEST(third.covers("uid", 3));
  BOOST_TEST(third.covers("uid", 2));
  BOOST_TEST(!third.covers("uid", 4));
  BOOST_TEST(!third.covers("other", 3));
  BOOST_TEST(!unbound.covers("", 0));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_the_interface) {
  installation x;
  take(link_identity::issue_server(x.folder(), {"ebb", "ebb.ebb.svc"}));
  const auto made = text_of(x.folder() + "/http.pem");
  BOOST_TEST(made.ends_with(text_of(x.folder() + "/ca.pem")));
  BOOST_TEST(!text_of(x.folder() + "/http.key").empty());
  take(link_identity::issue_server(x.folder(), {"other"}));
  BOOST_TEST(text_of(x.folder() + "/http.pem") == made); // made once
}

BOOST_AUTO_TEST_CASE(strangers_are_turned_away_by_both_sides) {
  installation control(quick);
  installation other;
  // Of another authority: the worker does not believe the server.
  tls_client stranger(control.place(), other.identity(link_side::worker), quick);
  static_cast<void>(stranger.link->send(topic_moved{"secret"}));
  const auto why = stranger.seen.closed()[0];
  BOOST_TEST((why.code == ec::io));
  BOOST_TEST(why.message.find("the link could not be secured: ") == 0U, why.message);
  control.seen.closed(1);

  // The control process shows the certificate of a worker.
  const auto folder = control.folder();
  storage_test::temporary_folder place;
  const auto twisted = place.path() + "/twisted";
  fs::copy(folder, twisted);
  for (const auto* kind : {".pem", ".key"}) {
    fs::copy_file(folder + "/worker" + kind, twisted + "/control" + kind,
                  fs::copy_options::overwrite_existing);
    fs::copy_file(folder + "/control" + kind, twisted + "/worker" + kind,
                  fs::copy_options::overwrite_existing);
  }
  tls_client wrong(control.place(), take(link_identity::load(twisted, link_side::worker)), quick);
  BOOST_TEST(control.seen.closed(2)[1].message.find("the certificate of ebb control, and not of ")
             != std::string::npos);
  wrong.seen.closed();
  auto loop = take(link_loop::start(quick));
  recorder twisted_seen;
  const auto server = take(link_server::listen(
      *loop, {"127.0.0.1", 0}, take(link_identity::load(twisted, link_side::control)),
      [&](const link_pointer&) { return twisted_seen.handlers(); }));
  tls_client honest({"127.0.0.1", server->port()}, control.identity(link_side::worker), quick);
  BOOST_TEST(honest.seen.closed()[0].message.find("the certificate of ebb worker, and not of ")
             != std::string::npos);
  twisted_seen.closed();
  BOOST_TEST(twisted_seen.messages().empty());
  BOOST_TEST(control.seen.messages().empty());
}

BOOST_AUTO_TEST_CASE(those_who_do_not_speak_tls_are_turned_away) {
  installation control(quick);
  const auto plain = take(connect_to(control.place()));
  const std::string text = "GET / HTTP/1.1\r\n\r\n";
  BOOST_REQUIRE(::send(plain.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
  BOOST_TEST((control.seen.closed()[0].code == ec::io));
  // Silent, or with a byte now and then: no more time than for silence.
  const auto silent = take(connect_to(control.place()));
  const auto slow = take(connect_to(control.place()));
  const std::jthread dribble([&](const std::stop_token& stop) {
    const std::string start("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
    for (std::size_t i = 0; !stop.stop_requested() && i < 300; ++i) {
      const char byte = i < start.size() ? start[i] : '\0';
      if (::send(slow.get(), &byte, 1, MSG_NOSIGNAL) != 1)
        return;
      std::this_thread::sleep_for(20ms);
    }
  });
  control.seen.closed(3);
  BOOST_TEST(control.seen.messages().empty());
}

BOOST_AUTO_TEST_CASE(places) {
  installation control;
  const auto here = control.place();
  auto loop = take(link_loop::start());
  const auto accept = [](const link_pointer&) { return link_handlers{}; };
  const auto identity = control.identity(link_side::control);
  BOOST_TEST((link_server::listen(*loop, here, identity, accept).error().code == ec::conflict));
  BOOST_TEST((link_server::listen(*loop, {"not an address", 1}, identity, accept).error().code
              == ec::invalid_argument));
  const auto worker = control.identity(link_side::worker);
  BOOST_TEST((connect_link(*loop, {"not an address", 1}, worker, {}).error().code
              == ec::invalid_argument));
  std::uint16_t free = 0;
  {
    const auto server = take(link_server::listen(*loop, {"127.0.0.1", 0}, identity, accept));
    free = server->port();
  }
  BOOST_TEST((connect_link(*loop, {"127.0.0.1", free}, worker, {}).error().code == ec::not_found));
}

BOOST_AUTO_TEST_SUITE_END()
