# SPDX-License-Identifier: Apache-2.0
"""A link of its own to try and test the meter on: namespaces, sender, collectors, the meter."""
