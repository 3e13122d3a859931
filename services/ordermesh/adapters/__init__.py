"""What implements the ports of `ordermesh.runtime.ports`: each module one adapter, or a part of one."""
