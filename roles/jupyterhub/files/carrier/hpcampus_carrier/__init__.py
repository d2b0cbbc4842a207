# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The carrier: one ssh connection to each job whose data path the hub opens.

What is to be up is said by files, ``orders/PORT.json`` (see :mod:`hpcampus_carrier.orders`); what is up is told in
``state/PORT.json``: ``spawn_id``, ``up``, ``since`` (epoch seconds), ``tries`` since it was last up, and ``error``, the last thing that
went wrong. A file that goes ends its connection at once. Standard library only.
"""
