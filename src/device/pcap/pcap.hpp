// SPDX-License-Identifier: BSD-2-Clause
//
// The device of captures: a file of packets, in pcap's or pcapng's format, as an rx ring, and
// another as a tx ring. The rings lie in memory of the port's own, in netmap's layout, so whatever
// uses rings runs on captures, too; forwarding to other ports copies. libpcap reads and writes the
// files. Only it knows their formats, and it makes the calls to read and write by itself.
//
// READING. A sync fills the rx ring. A packet that is longer than a buffer has several slots; one
// that the whole ring cannot hold is packet_too_large. What had been cut when it was captured, by
// a snap length, is as long as what is left of it. Packets are Ethernet's: captures of another link
// type are refused. Once the program has released all it received, or waits for more, the sync
// fails with end_of_capture, or says what is wrong with the rest of the file, and goes on failing
// so. All that was whole before a damage is shown first.
//
// TIMED. The first packet is there at the first sync, each other as long after it as when it was
// captured, by the steady clock; none before one that stands in front of it.
//
// STREAMS. What is no regular file (a FIFO, the standard input) is read as long as something is
// there, and the port wakes whoever waits for more. Where a writer stops in the middle of a packet
// the sync waits for the rest of it, as opening waits for the file's beginning.
//
// WRITING. A sync writes the packets that were committed and lets go of them at once, so a tx ring
// is never full. It is pcap's classic format with nanoseconds; all packets of a sync have the time
// of the sync. When it returns, readers of the file see them. A disk that is full fails that sync
// and all that follow: the file may end in the middle of a packet. So does the end of whoever reads
// a stream, if the program ignores SIGPIPE. A file that was there before is overwritten.
#pragma once

#include "device/device.hpp"

namespace netmap::pcap {

/// The port of name.capture, whose files are opened by its registration. Fails with not_supported
/// if the name is no capture's, or if netmapxx was built without libpcap.
[[nodiscard]] Result<OpenDevice> open_device(const DeviceOptions&, const PortName& name);

}  // namespace netmap::pcap
