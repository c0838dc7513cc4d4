# SPDX-License-Identifier: Apache-2.0
"""Names of constants: the specification's prefix -> LOCI's.

A whole name is looked up first, then the longest prefix.  A prefix that is
not listed keeps its OFP name; OFPHET without its underscore is LOCI's habit
and gives OF_HELLO_ELEM_TYPE__VERSIONBITMAP.
"""

WHOLE = {
    "OFP_MAX_TABLE_NAME_LEN": "OF_MAX_TABLE_NAME_LEN",
    "OFP_MAX_PORT_NAME_LEN": "OF_MAX_PORT_NAME_LEN",
    "OFP_TCP_PORT": "OF_TCP_PORT",
    "OFP_SSL_PORT": "OF_SSL_PORT",
    "OFP_ETH_ALEN": "OF_ETH_ALEN",
    "OFP_DEFAULT_MISS_SEND_LEN": "OF_DEFAULT_MISS_SEND_LEN",
    "OFP_VLAN_NONE": "OF_VLAN_UNTAGGED",
    "OFP_DL_TYPE_ETH2_CUTOFF": "OF_DL_TYPE_ETH2_CUTOFF",
    "OFP_DL_TYPE_NOT_ETH_TYPE": "OF_DL_TYPE_NOT_ETH_TYPE",
    "OFP_FLOW_PERMANENT": "OF_FLOW_PERMANENT",
    "OFP_DEFAULT_PRIORITY": "OF_DEFAULT_PRIORITY",
    "OFP_NO_BUFFER": "OF_BUFFER_ID_NO_BUFFER",
    "DESC_STR_LEN": "OF_DESC_STR_LEN",
    "SERIAL_NUM_LEN": "OF_SERIAL_NUM_LEN",
    "OFPQ_ALL": "OF_QUEUE_ALL",
    "OFPQ_MIN_RATE_UNCFG": "OF_QUEUE_MIN_RATE_UNCFG",
    "OFPQ_MAX_RATE_UNCFG": "OF_QUEUE_MAX_RATE_UNCFG",
    "OFPP_MAX": "OF_PORT_NUMBER_MAX",
    "OFPP_TABLE": "OF_PORT_DEST_USE_TABLE",
    "OFPP_ANY": "OF_PORT_DEST_WILDCARD",
}

PREFIX = {
    "OFPAT_": "OF_ACTION_TYPE_",
    "OFPBAC_": "OF_ACTION_FAILED_",
    "OFPBIC_": "OF_INSTRUCTION_FAILED_",
    "OFPBMC_": "OF_MATCH_FAILED_",
    "OFPBRC_": "OF_REQUEST_FAILED_",
    "OFPCML_": "OF_CONTROLLER_PKT_",
    "OFPCR_ROLE_": "OF_CONTROLLER_ROLE_",
    "OFPC_": "OF_CAPABILITIES_FLAG_",
    "OFPC_FRAG_": "OF_CONFIG_FRAG_",
    "OFPC_INVALID_": "OF_CONFIG_INVALID_",
    "OFPET_": "OF_ERROR_TYPE_",
    "OFPFC_": "OF_FLOW_MOD_COMMAND_",
    "OFPFF_": "OF_FLOW_MOD_FLAG_",
    "OFPFMFC_": "OF_FLOW_MOD_FAILED_",
    "OFPFW_": "OF_FLOW_WC_V1_",
    "OFPGC_": "OF_GROUP_MOD_COMMAND_",
    "OFPGFC_": "OF_GROUP_CAPABILITIES_",
    "OFPGMFC_": "OF_GROUP_MOD_FAILED_",
    "OFPGT_": "OF_GROUP_TYPE_",
    "OFPG_": "OF_GROUP_",
    "OFPHET": "OF_HELLO_ELEM_TYPE_",
    "OFPHFC_": "OF_HELLO_FAILED_",
    "OFPIEH_": "OF_IPV6_EXT_HDR_FLAG_",
    "OFPIT_": "OF_INSTRUCTION_TYPE_",
    "OFPMBT_": "OF_METER_BAND_TYPE_",
    "OFPMC_": "OF_METER_MOD_COMMAND_",
    "OFPMF_": "OF_METER_FLAG_",
    "OFPMMFC_": "OF_METER_MOD_FAILED_",
    "OFPMPF_": "OF_MULTIPART_FLAG_",
    "OFPMP_": "OF_MULTIPART_",
    "OFPMT_": "OF_MATCH_TYPE_",
    "OFPM_": "OF_METER_",
    "OFPPC_": "OF_PORT_CONFIG_FLAG_",
    "OFPPF_": "OF_PORT_FEATURE_FLAG_",
    "OFPPMFC_": "OF_PORT_MOD_FAILED_",
    "OFPPR_": "OF_PORT_CHANGE_REASON_",
    "OFPPS_": "OF_PORT_STATE_FLAG_",
    "OFPP_": "OF_PORT_DEST_",
    "OFPQCFC_": "OF_SWITCH_CONFIG_FAILED_",
    "OFPQOFC_": "OF_QUEUE_OP_FAILED_",
    "OFPQT_": "OF_QUEUE_PROPERTY_",
    "OFPRRFC_": "OF_ROLE_REQUEST_FAILED_",
    "OFPRR_": "OF_FLOW_REMOVED_REASON_",
    "OFPR_": "OF_PACKET_IN_REASON_",
    "OFPSCFC_": "OF_SWITCH_CONFIG_FAILED_",
    "OFPSF_": "OF_STATS_REPLY_FLAG_",
    "OFPST_": "OF_STATS_TYPE_",
    "OFPTC_": "OF_TABLE_CONFIG_",
    "OFPTFFC_": "OF_TABLE_REQUEST_FAILED_",
    "OFPTFPT_": "OF_TABLE_FEATURE_",
    "OFPTMFC_": "OF_TABLE_MOD_FAILED_",
    "OFPTT_": "OF_TABLE_",
    "OFPT_": "OF_OBJ_TYPE_",
    "OFPVID_": "OF_VLAN_TAG_",
    "OFPXMC_": "OF_OXM_CLASS_",
    "NX_ROLE_": "OF_NICIRA_CONTROLLER_ROLE_",
}

_BY_LENGTH = sorted(PREFIX, key=lambda p: (-len(p), p))


def ident(name):
    """The C name of a constant of the specification."""
    if name in WHOLE:
        return WHOLE[name]
    for prefix in _BY_LENGTH:
        if name.startswith(prefix):
            return PREFIX[prefix] + name[len(prefix):]
    return name
