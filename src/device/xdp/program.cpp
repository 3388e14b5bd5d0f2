// SPDX-License-Identifier: BSD-2-Clause
#include "device/xdp/program.hpp"

#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <utility>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

namespace netmap::xdp {
namespace {

/// What a call of libbpf yielded: a descriptor, or minus an errno.
os::Outcome<os::File> file_of(int result) {
  if (result < 0) return os::failure(-result);
  return os::File(result);
}

std::error_code code_of(int error) {
  return {error, std::system_category()};
}

/// `rights` are what the kernel wants who does that to have.
std::unexpected<Error> cannot(const std::string& step, std::error_code why,
                              const std::string& rights) {
  std::string sentence = "cannot " + step + ": " + why.message();
  if (why == std::errc::operation_not_permitted) {
    sentence += "; that needs " + rights;
  } else if (const auto remedy = remedy_for_files(why); !remedy.empty()) {
    sentence.append("; ").append(remedy);
  } else if (why == std::errc::no_such_file_or_directory) {
    sentence += "; it may have closed it meanwhile: try again, or open all rings in one process";
  } else {
    sentence += "; the kernel's log may say more; or use the kernel device";
  }
  return std::unexpected(Error(why, std::move(sentence)));
}

constexpr const char* rights =
    "CAP_BPF and CAP_NET_ADMIN, or root; without rights use pipes, or the kernel device";

bpf_insn move(int to, int value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K,
          .dst_reg = static_cast<__u8>(to & 0xf),
          .src_reg = 0,
          .off = 0,
          .imm = value};
}

/// return bpf_redirect_map(&map, context->rx_queue_index, XDP_PASS)
os::Outcome<os::File> load(const os::File& map) {
  const std::array program{
      bpf_insn{.code = BPF_LDX | BPF_MEM | BPF_W,
               .dst_reg = BPF_REG_2,
               .src_reg = BPF_REG_1,
               .off = offsetof(xdp_md, rx_queue_index),
               .imm = 0},
      bpf_insn{.code = BPF_LD | BPF_IMM | BPF_DW,
               .dst_reg = BPF_REG_1,
               .src_reg = BPF_PSEUDO_MAP_FD,
               .off = 0,
               .imm = map.fd()},
      bpf_insn{},
      move(BPF_REG_3, XDP_PASS),
      bpf_insn{.code = BPF_JMP | BPF_CALL,
               .dst_reg = 0,
               .src_reg = 0,
               .off = 0,
               .imm = BPF_FUNC_redirect_map},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  int loaded = -EINVAL;
  for (const std::uint32_t flags : {BPF_F_XDP_HAS_FRAGS, 0U}) {  // which Linux before 5.18 lacks
    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.prog_flags = flags;
    loaded = ::bpf_prog_load(BPF_PROG_TYPE_XDP, "netmapxx", "Dual BSD/GPL", program.data(),
                             program.size(), &options);
    if (loaded != -EINVAL) break;
  }
  return file_of(loaded);
}

template <class Info>
os::Outcome<Info> info_of(const os::File& file) {
  Info info{};
  std::uint32_t size = sizeof info;
  const int done = ::bpf_obj_get_info_by_fd(file.fd(), &info, &size);
  if (done < 0) return os::failure(-done);
  return info;
}

/// The first of the modes asked for that the driver has.
os::Outcome<std::pair<os::File, XdpMode>> attach(const os::File& program,
                                                 const os::Interface& interface, XdpMode asked) {
  os::Outcome<os::File> link = os::failure(EOPNOTSUPP);
  for (const XdpMode mode : {XdpMode::native, XdpMode::generic}) {
    if (asked != XdpMode::automatic && asked != mode) continue;
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.flags = mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    link = file_of(
        ::bpf_link_create(program.fd(), static_cast<int>(interface.index), BPF_XDP, &options));
    if (link) return std::pair{std::move(*link), mode};
    const bool is_taken = link.error() == std::errc::device_or_resource_busy ||
                          link.error() == std::errc::file_exists;
    if (is_taken || link.error() == std::errc::operation_not_permitted) break;
  }
  return std::unexpected(link.error());
}

Error cannot_attach(const std::string& name, XdpMode mode, std::error_code why) {
  const std::string step =
      "cannot attach an XDP program to '" + name + "': " + why.message() + "; ";
  if (why == std::errc::device_or_resource_busy || why == std::errc::file_exists) {
    return {why, step + "another one is there ('ip link show dev " + name +
                     "' tells which), of another domain or another program; end that first"};
  }
  if (mode == XdpMode::native) {
    return {why, step + "its driver cannot take one in native mode as it is; ask for generic mode"};
  }
  return cannot("attach an XDP program to '" + name + "'", why, rights).error();
}

/// By which others find it.
os::Outcome<Attachment> attachment_of(const os::File& link, const os::File& map, XdpMode mode) {
  const auto attached = info_of<bpf_link_info>(link);
  if (!attached) return std::unexpected(attached.error());
  const auto sockets = info_of<bpf_map_info>(map);
  if (!sockets) return std::unexpected(sockets.error());
  return Attachment{attached->id, sockets->id, mode};
}

Result<std::shared_ptr<Program>> make(const os::Interface& interface, const std::string& name,
                                      XdpMode mode) {
  auto map = file_of(::bpf_map_create(BPF_MAP_TYPE_XSKMAP, "netmapxx", sizeof(std::uint32_t),
                                      sizeof(int), max_queues, nullptr));
  if (!map) return cannot("make the map of an XDP program for '" + name + "'", map.error(), rights);
  const auto program = load(*map);
  if (!program) return cannot("load an XDP program for '" + name + "'", program.error(), rights);
  auto attached = attach(*program, interface, mode);
  if (!attached) return std::unexpected(cannot_attach(name, mode, attached.error()));
  auto& [link, attached_mode] = *attached;
  const auto attachment = attachment_of(link, *map, attached_mode);
  if (!attachment) {
    return cannot("find out the ids of the XDP program of '" + name + "'", attachment.error(),
                  rights);
  }
  return std::make_shared<Program>(std::move(link), std::move(*map), *attachment);
}

/// Fails if ids that others wrote down are not what they should be.
os::Outcome<> check(const os::File& link, const os::File& map, const os::Interface& interface) {
  const auto attached = info_of<bpf_link_info>(link);
  if (!attached) return std::unexpected(attached.error());
  const auto sockets = info_of<bpf_map_info>(map);
  if (!sockets) return std::unexpected(sockets.error());
  const bool is_sound =
      attached->type == BPF_LINK_TYPE_XDP && attached->xdp.ifindex == interface.index &&
      sockets->type == BPF_MAP_TYPE_XSKMAP && sockets->key_size == sizeof(std::uint32_t) &&
      sockets->value_size == sizeof(int);
  if (!is_sound) return os::failure(ENOENT);
  return {};
}

/// The program that another process has attached, so that it stays when that process goes.
Result<std::shared_ptr<Program>> join(const os::Interface& interface, const std::string& name,
                                      const Attachment& others) {
  auto link = file_of(::bpf_link_get_fd_by_id(others.link));
  auto map = link ? file_of(::bpf_map_get_fd_by_id(others.map)) : std::unexpected(link.error());
  const auto checked = map ? check(*link, *map, interface) : std::unexpected(map.error());
  if (!checked) {
    return cannot("join the process that has '" + name + "' open", checked.error(),
                  "CAP_SYS_ADMIN; or open all rings in one process");
  }
  return std::make_shared<Program>(std::move(*link), std::move(*map), others);
}

/// This process's, by network namespace and interface.
struct OpenPrograms {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::weak_ptr<Program>> programs;
};
OpenPrograms& open_programs() {
  static auto* const programs = new OpenPrograms();  // ports may be closed when all else is gone
  return *programs;
}

}  // namespace

std::string_view remedy_for_files(std::error_code why) {
  const bool is_it =
      why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system;
  return is_it ? "close some files, or raise their limit ('ulimit -n')" : "";
}

Result<std::shared_ptr<Program>> Program::on(const os::Interface& interface,
                                             const std::string& name, XdpMode mode,
                                             const Attachment& others) {
  const std::scoped_lock only(open_programs().mutex);
  std::erase_if(open_programs().programs, [](const auto& one) { return one.second.expired(); });
  auto& known = open_programs().programs[{interface.network, interface.index}];
  if (auto program = known.lock()) return program;
  auto program = others.link != 0 ? join(interface, name, others) : make(interface, name, mode);
  if (program) known = *program;
  return program;
}

Result<> Program::lead(std::uint32_t queue, const os::XdpSocket& socket) const {
  const int fd = socket.fd();
  const int done = ::bpf_map_update_elem(map_.fd(), &queue, &fd, BPF_ANY);
  if (done == 0) return {};
  return cannot("lead queue " + std::to_string(queue) + " to its socket", code_of(-done), rights);
}

void Program::release(std::uint32_t queue) const noexcept {
  (void)::bpf_map_delete_elem(map_.fd(), &queue);
}

}  // namespace netmap::xdp
