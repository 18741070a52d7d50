# SPDX-License-Identifier: Apache-2.0
"""A link of its own for trying and testing the meter: namespaces, a sender, collectors, the meter."""
