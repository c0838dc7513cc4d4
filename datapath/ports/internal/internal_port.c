/* SPDX-License-Identifier: Apache-2.0 */
/* Port type internal: the host's own interface on a bridge (LOCAL).
 * What:    a tap named as the port, that is as the bridge; tap_port.h says
 *          the rest. */
#include "datapath/ports/tap/tap_port.h"

static const struct tnl_option internal_options[] = {
    { "ifname", "the port's name", "name of the interface" },
    { "netns", "", "network namespace, as \"ip netns\" names it, that gets "
      "the interface" },
    { "mac", "random", "address of the interface" },
    { "mtu", "1500", "largest IP packet" },
    { NULL, NULL, NULL },
};

const struct port_ops port_internal_ops = {
    .name = "internal",
    .options = internal_options,
    .as_port = true,
    .open = tap_open,
    .close = tap_close,
    .set = tap_set,
    .get = tap_get,
    .poll_state = tap_poll_state,
    .rx_burst = tap_rx_burst,
    .tx_burst = tap_tx_burst,
};
